"""The CDN as an ASGI app: `/static/…` and `/docs/…`, straight from the object store, without authentication.

`/static/…` serves the files uploaded by the operator. `/docs/ORGANISATION/…` serves the version that the organisation
published last. Those pages are untrusted, so they run in a sandbox without an origin: their scripts cannot access the
sign-in pages, although both have the same host (docs/adr/0032-published-pages-are-sandboxed.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from redcore_server.errors import MethodNotAllowed, NotFound
from redcore_server.http.content_types import content_type_of, is_hashed
from redcore_server.http.fields import combined
from redcore_server.http.ranges import select
from redcore_server.store.objects import ObjectMissing, Objects
from redcore_server.store.postgres import AsyncPool, queries
from redcore_server.store.stored_files import docs_key

PREFIXES: Final = ("/static/", "/docs/")
_QUERIES: Final = queries("docs")
_INDEX: Final = "index.html"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_CHECKED: Final = "public, no-cache"  # cached, but revalidated each time
_SANDBOX: Final = "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'none'"
_PUBLISHED: Final = {
    "Content-Security-Policy": _SANDBOX,
    "Access-Control-Allow-Origin": "*",  # the pages' own scripts have no origin that could be named (ADR 64)
}


@attrs.frozen(kw_only=True)
class Asset:
    """The content of a URL.

    Attributes:
        key: Key in the object store.
        size: Size in bytes.
        etag: Strong entity tag, with quotes.
        content_type: Media type.
    """

    key: str
    size: int
    etag: str
    content_type: str


@attrs.frozen
class Cdn:
    """The app.

    Attributes:
        postgres: PostgreSQL with the published versions.
        objects: Object store with the bytes.
    """

    postgres: AsyncPool
    objects: Objects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below one of `PREFIXES`."""
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(["GET", "HEAD"])
        path: str = scope["path"]
        if "\0" in path:  # which PostgreSQL does not allow in text
            raise NotFound
        if path.startswith("/static/"):
            return await self._deliver(scope, await self._static(path.removeprefix("/static/")))
        organisation_id, slash, name = path.removeprefix("/docs/").partition("/")
        if not slash:
            return await self._with_slash(organisation_id, "", path)
        if (asset := await self._docs(organisation_id, name)) is None:
            return await self._with_slash(organisation_id, f"{name}/", path)
        return await self._deliver(scope, asset, _PUBLISHED)

    async def _static(self, name: str) -> Asset:
        key = f"static/{name}"
        found = await self.objects.find(key)
        if found is None:
            raise NotFound
        return Asset(key=key, size=found.size, etag=found.etag, content_type=content_type_of(name))

    async def _docs(self, organisation_id: str, name: str) -> Asset | None:
        path = f"{name}{_INDEX}" if not name or name.endswith("/") else name
        async with self.postgres.connection() as connection:
            cursor = await connection.execute(_QUERIES["file"], {"organisation_id": organisation_id, "path": path})
            row: Mapping[str, Any] | None = await cursor.fetchone()
        if row is None:
            return None
        return Asset(
            key=docs_key(organisation_id, row["version_id"], path),
            size=row["size"],
            etag=f'"{row["sha256"]}"',
            content_type=row["content_type"],
        )

    async def _with_slash(self, organisation_id: str, folder: str, path: str) -> Response:
        """Redirect a folder without a trailing slash, so that its relative links work."""
        if folder == "/" or folder.endswith("//") or await self._docs(organisation_id, folder) is None:
            raise NotFound
        return RedirectResponse(f"{quote(path)}/", 301)

    async def _deliver(self, scope: Scope, asset: Asset, more: Mapping[str, str] = {}) -> Response:
        selection = select(combined(scope["headers"]), etag=asset.etag, size=asset.size)
        caching = _IMMUTABLE if is_hashed(scope["path"]) else _CHECKED
        headers = {**more, **selection.headers, "Cache-Control": caching}
        if selection.status in {304, 412, 416} or scope["method"] == "HEAD":
            return Response(status_code=selection.status, headers=headers, media_type=asset.content_type)
        try:
            content = await self.objects.get(asset.key, selection.start, selection.stop)
        except ObjectMissing:  # the database was restored to a time when they still existed
            raise NotFound from None
        return StreamingResponse(content, selection.status, headers, asset.content_type)
