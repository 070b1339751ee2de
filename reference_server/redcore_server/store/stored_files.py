"""Files as shared by all services: the key of their bytes, and their description, which counts towards the quota."""

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
        file_id: Id of the file.
    """
    return f"files/{organisation_id}/{file_id}"


def docs_key(organisation_id: str, version_id: str, path: str) -> str:
    """Return the key of a published file in the object store; it contains the hash of the path.

    Args:
        organisation_id: Organisation of the site.
        version_id: Id of the publication.
        path: Path on the site.
    """
    return f"{docs_folder(organisation_id)}/{version_id}/{hashlib.sha256(path.encode()).hexdigest()}"


def docs_folder(organisation_id: str) -> str:
    """Return the folder of all publications of an organisation, those included that are not kept any more.

    Args:
        organisation_id: Organisation of the site.
    """
    return f"docs/{organisation_id}"


@attrs.frozen(kw_only=True)
class Description:
    """Metadata of a file whose bytes are stored.

    Attributes:
        id: Id of the file.
        name: Human-readable name.
        content_type: Media type.
        size: Size in bytes.
        sha256: SHA-256 of the bytes, in hexadecimal.
    """

    id: str
    name: str
    content_type: str
    size: int
    sha256: str

    async def write(
        self, connection: AsyncPostgres, *, organisation_id: str, storage_bytes: int, now: datetime
    ) -> Mapping[str, Any] | None:
        """Write the description, and return it as the API shows it; None if the file exceeds the quota.

        Args:
            connection: Connection with an open transaction.
            organisation_id: Id of the owning organisation.
            storage_bytes: Storage quota of an organisation, in bytes.
            now: Time of the upload.
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
    """Computes size and checksum of streamed bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Checksum of the bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    async def of(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the same bytes.

        Args:
            pieces: Chunks of the stream.
        """
        async for piece in pieces:
            self.size += len(piece)
            self._sha256.update(piece)
            yield piece
