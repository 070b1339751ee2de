"""The object store: bytes by key, in a local folder or any S3-compatible store.

Objects are written whole or not at all, and never changed afterwards. Callers build keys from ids and hashes, never
from names chosen by a client. Only the chunks in transit are held in memory.
"""

# obstore writes the types of its keyword arguments as unions of typed dictionaries that pyright cannot see.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import unquote, urlsplit

import attrs
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from redcore_server.settings import Settings
from redcore_server.store.address import StoreError

if TYPE_CHECKING:
    from obstore.store import S3Config

OBJECTS_VARIABLE: Final = "REDCORE_SERVER_OBJECTS_URL"
_PART_BYTES: Final = 5 * 1024 * 1024  # S3's minimum size of an upload part
_LOCAL_PART_BYTES: Final = 256 * 1024  # an upload that stalls holds one part in memory, for as long as it stalls
_PARTS_AT_ONCE: Final = 2  # one is sent while the next one is received
_PIECE_BYTES: Final = 256 * 1024  # of a read: few calls for a large file, little memory for many
_CONNECT_TIMEOUT: Final = timedelta(seconds=2)  # the object store is near, and a request has a deadline
_TRANSFER_TIMEOUT: Final = timedelta(hours=1)  # for one request, so it bounds the slowest download
_RETRY_TIMEOUT: Final = timedelta(seconds=5)  # a request has a deadline
_REFUSAL: Final = re.compile(r"status code: (401|403|404)\b")  # obstore has no error class for them in listings
_FULL: Final = re.compile(r"No space left on device|Disk quota exceeded|QuotaExceeded|os error (28|122)\b")
_IMPOSSIBLE: Final = re.compile("File name too long|are not supported|KeyTooLong")
_REFUSALS: Final = {
    "401": "it does not take our access key and secret",
    "403": "it does not take our access key and secret",
    "404": "it has no such bucket",
}


class ObjectsUnavailable(Exception):  # noqa: N818 - a state; a caller may retry
    """The object store does not answer, or has lost a stored object."""


class ObjectsFull(ObjectsUnavailable):
    """The object store has no space left, or its quota is used up."""


class ObjectMissing(ObjectsUnavailable):
    """The store answers, but has no such object."""


@attrs.frozen
class Found:
    """Metadata of an object.

    Attributes:
        size: Size in bytes.
        etag: Strong entity tag, with quotes.
    """

    size: int
    etag: str


@attrs.frozen
class Objects:
    """The objects of one store; they are written in parts of a size."""

    _store: ObjectStore
    _part_bytes: int = _PART_BYTES

    async def put(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Write an object; if `pieces` raises, the error propagates and nothing is written.

        Args:
            key: Name of the object.
            pieces: Its bytes, in order.

        Raises:
            ObjectsUnavailable: The store cannot write it.
        """
        parts = _Parts(pieces, self._part_bytes)
        with _away():
            if not await parts.has_whole():  # one request instead of three
                await obstore.put_async(self._store, key, parts.take(), use_multipart=False)
                return
            await obstore.put_async(
                self._store, key, parts, chunk_size=self._part_bytes, max_concurrency=_PARTS_AT_ONCE, use_multipart=True
            )

    async def get(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Open an object; when this returns, the object exists.

        Args:
            key: Name of the object.
            start: Offset of the first byte.
            stop: Offset after the last byte, not before `start`.

        Returns:
            The bytes; iterating them raises ObjectsUnavailable too.

        Raises:
            ObjectMissing: The store has no such object.
            ObjectsUnavailable: The store does not answer.
        """
        if start == stop:  # stores reject empty ranges
            with _away():
                await obstore.head_async(self._store, key)
            return _nothing()
        with _away():
            result = await obstore.get_async(self._store, key, options={"range": (start, stop)})
        return _pieces(result.stream(min_chunk_size=_PIECE_BYTES))

    async def read(self, key: str) -> bytes:
        """Return a small object whole.

        Args:
            key: Name of the object.

        Raises:
            ObjectMissing: The store has no such object.
            ObjectsUnavailable: The store does not answer.
        """
        with _away():
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())

    async def keys(self, prefix: str) -> AsyncGenerator[list[str]]:
        """Yield the keys of all objects in a folder, in batches.

        Args:
            prefix: Folder of the keys, without a trailing slash.

        Raises:
            ObjectsUnavailable: The store does not answer.
        """
        with _away():
            async for batch in obstore.list(self._store, prefix=prefix):
                yield [found["path"] for found in batch]

    async def size(self, prefix: str) -> int:
        """Return the total size of all objects in a folder, in bytes.

        Args:
            prefix: Folder of the keys, without a trailing slash.

        Raises:
            ObjectsUnavailable: The store does not answer.
        """
        with _away():
            return sum([found["size"] async for batch in obstore.list(self._store, prefix=prefix) for found in batch])

    async def find(self, key: str) -> Found | None:
        """Return the metadata of an object; None if it does not exist.

        Args:
            key: Name of the object; an impossible name means that it does not exist.

        Raises:
            ObjectsUnavailable: The store does not answer.
        """
        with _away():
            try:
                head = await obstore.head_async(self._store, key)
            except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for names such as `..`
                return None
            except BaseError as error:
                if _IMPOSSIBLE.search(str(error)):
                    return None
                raise
        return Found(head["size"], head["e_tag"] or f'"{head["size"]}-{head["last_modified"].timestamp():.6f}"')

    async def delete(self, key: str) -> None:
        """Delete an object, if it exists.

        Args:
            key: Name of the object.

        Raises:
            ObjectsUnavailable: The store does not answer.
        """
        with _away(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def older_than(self, prefix: str, moment: datetime) -> AsyncGenerator[list[str]]:
        """Yield the keys of objects that were written before a moment, in batches.

        Args:
            prefix: Folder of the keys, without a trailing slash.
            moment: Time by the clock of the store.

        Raises:
            ObjectsUnavailable: The store does not answer.
        """
        with _away():
            async for batch in obstore.list(self._store, prefix=prefix):
                yield [found["path"] for found in batch if found["last_modified"] < moment]

    async def check(self) -> None:
        """Check once that the store grants access.

        Raises:
            ObjectsUnavailable: The store does not answer or denies access.
        """
        with _away():
            await obstore.list_with_delimiter_async(self._store, prefix="readiness")


def open_objects(settings: Settings) -> Objects:
    """Return the object store of the settings; it connects on first use.

    Raises:
        StoreError: The folder cannot be created.
    """
    parts = urlsplit(settings.objects_url or settings.objects.as_uri())
    if parts.scheme == "s3":
        return Objects(_bucket(settings, parts.netloc, parts.path.strip("/")))
    folder = Path(unquote(parts.path))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The object store {folder} cannot be made ({error.strerror}). Set {OBJECTS_VARIABLE}."
        ) from error
    return Objects(LocalStore(folder), _LOCAL_PART_BYTES)


async def check(objects: Objects, settings: Settings) -> None:
    """Check once that the store grants access.

    Args:
        objects: Object store created from the settings.
        settings: Settings, shown in the error without secrets.

    Raises:
        StoreError: The store does not answer or denies access.
    """
    try:
        await objects.check()
    except ObjectsUnavailable as error:
        where = settings.objects_url or settings.objects
        raise StoreError(
            f"The object store at {where} cannot be used ({error}). Check {OBJECTS_VARIABLE} and REDCORE_SERVER_S3_*."
        ) from None


def _bucket(settings: Settings, bucket: str, prefix: str) -> S3Store:
    options = {
        "endpoint": settings.s3_endpoint,
        "access_key_id": settings.s3_access_key_id,
        "secret_access_key": settings.s3_secret_access_key,
    }
    config = cast("S3Config", {name: value for name, value in options.items() if value})
    return S3Store(
        bucket,
        config=config,
        prefix=prefix or None,
        region=settings.s3_region,
        virtual_hosted_style_request=settings.s3_endpoint is None,
        client_options={
            "allow_http": (settings.s3_endpoint or "").startswith("http://"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "timeout": _TRANSFER_TIMEOUT,
        },
        retry_config={"max_retries": 2, "retry_timeout": _RETRY_TIMEOUT},
    )


async def pieces_of(file: Path) -> AsyncGenerator[bytes]:
    """Yield the bytes of a local file, for an upload.

    Args:
        file: File to read.
    """
    with file.open("rb") as content:
        while piece := content.read(_PIECE_BYTES):
            yield piece


class _Parts:
    """Joins pieces to parts: large blocks, which the C library returns to the system at once, unlike many small ones.

    A part that was taken is not referenced here, and none is after an error. For obstore's threads release a Python
    object, such as this error with its frames, at the next call of obstore only (PyO3's deferred reference counts).
    """

    def __init__(self, pieces: AsyncIterator[bytes], part_bytes: int) -> None:
        self._pieces = pieces
        self._part_bytes = part_bytes
        self._read = bytearray()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if await self.has_whole() or self._read:
            return self.take()
        raise StopAsyncIteration

    async def has_whole(self) -> bool:
        """Read until a whole part is there; False if the pieces end before."""
        try:
            while len(self._read) < self._part_bytes and (piece := await anext(self._pieces, None)) is not None:
                self._read += piece
        except BaseException:
            self._read.clear()
            raise
        return len(self._read) >= self._part_bytes

    def take(self) -> bytes:
        """Return the first part, or what there is of it."""
        part = bytes(memoryview(self._read)[: self._part_bytes])
        del self._read[: self._part_bytes]
        return part


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    with _away():
        async for piece in stream:
            yield bytes(piece)


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield b""


@contextlib.contextmanager
def _away() -> Generator[None]:
    """Convert the store's errors to ours; its messages may quote URLs and requests at length."""
    try:
        yield
    except FileNotFoundError:
        raise ObjectMissing("it has no such object") from None
    except (BaseError, OSError) as error:
        raise (ObjectsFull if _FULL.search(str(error)) else ObjectsUnavailable)(_reason(error)) from error


def _reason(error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0]
    refused = _REFUSAL.search(reason)
    return _REFUSALS[refused[1]] if refused else reason
