"""Files as all services know them: the key of their bytes, and their description with its place in the quota."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from redcore_server.store.postgres import AsyncPostgres, queries

_QUERIES: Final = queries("files")


def file_key(organisation_id: str, file_id: str) -> str:
    """Return the key of a file's bytes in the object store.

    Args:
        organisation_id: Id of the owning organisation.
        file_id: Of the file.
    """
    return f"files/{organisation_id}/{file_id}"


def docs_key(organisation_id: str, version_id: str, path: str) -> str:
    """Return the key of a published file in the object store; it names the path by its hash.

    Args:
        organisation_id: Whose site it is on.
        version_id: Of the publication.
        path: On the site.
    """
    return f"docs/{organisation_id}/{version_id}/{hashlib.sha256(path.encode()).hexdigest()}"


@attrs.frozen(kw_only=True)
class Description:
    """What is known of a file whose bytes are stored.

    Attributes:
        id: Of the file.
        name: Human-readable name.
        content_type: Media type.
        size: Size in bytes.
        sha256: Of the bytes, in hexadecimal.
    """

    id: str
    name: str
    content_type: str
    size: int
    sha256: str

    async def write(
        self, connection: AsyncPostgres, *, organisation_id: str, storage_bytes: int, now: datetime
    ) -> Mapping[str, Any] | None:
        """Write the description, and return it as the API shows it; None if there is no room for the file.

        Args:
            connection: With an open transaction.
            organisation_id: Whose the file is.
            storage_bytes: Storage quota of an organisation, in bytes.
            now: When it was stored.
        """
        parameters = {
            **attrs.asdict(self),
            "organisation_id": organisation_id,
            "storage_bytes": storage_bytes,
            "now": now,
        }
        if await (await connection.execute(_QUERIES["reserve"], parameters)).fetchone() is None:
            return None
        return await (await connection.execute(_QUERIES["add"], parameters)).fetchone()


class Digest:
    """Size and checksum of bytes that pass by."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Checksum of what has passed, in hexadecimal."""
        return self._sha256.hexdigest()

    async def of(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the same bytes.

        Args:
            pieces: On their way.
        """
        async for piece in pieces:
            self.size += len(piece)
            self._sha256.update(piece)
            yield piece
