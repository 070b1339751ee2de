"""`client.files`: the generated operations, and uploads and downloads of any size."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias, TypeVar, Unpack, overload

from redcore._base.public import public
from redcore._base.values import UNSET, AsyncFileContent, FileContent, Unset
from redcore._call.steps import Flow
from redcore._resources import generated
from redcore._resources.calls import AsyncCall, Call
from redcore._resources.resource import awaited
from redcore._spec.models import File
from redcore._transfer.download import Download
from redcore._transfer.transfers import Transfers
from redcore._wire.callbacks import check_blocking_callback
from redcore._wire.progress import Meter, OnProgress, Progress
from redcore._wire.sources import is_awaited
from redcore.exceptions import ArgumentError, RedcoreError
from redcore.options import RequestOptions

__all__ = ["AsyncFiles", "AsyncStreamedFile", "Files", "Progress", "StreamedFile"]

T = TypeVar("T")
Choose: TypeAlias = Callable[[RequestOptions], Transfers]
"""Makes the `Transfers` for the options of one call."""


class Writable(Protocol):
    """A file opened for writing in binary mode, or what takes bytes as one."""

    def write(self, data: bytes, /) -> int | None:
        """Write bytes; returns how many, or None for all."""
        ...


Destination: TypeAlias = str | os.PathLike[str] | Writable


class AsyncWritable(Protocol):
    """An async writable file, such as those of aiofiles, `anyio.open_file` and Starlette."""

    async def write(self, data: Any, /) -> Any:
        """Write bytes."""
        ...


AsyncDestination: TypeAlias = Destination | AsyncWritable


class RunFlow(Protocol):
    """Runs the steps of a call, blocking."""

    def __call__(self, flow: Flow[T], /) -> T:
        """RunFlow a call."""
        ...


class AsyncRunFlow(Protocol):
    """Runs the steps of a call, awaiting."""

    async def __call__(self, flow: Flow[T], /) -> T:
        """RunFlow a call."""
        ...


class Files(generated.Files):
    __doc__ = generated.Files.__doc__
    __slots__ = ("_run", "_transfers")

    def __init__(self, execute: Call, run: RunFlow, transfers: Choose) -> None:
        super().__init__(execute)
        self._run = run
        self._transfers = transfers

    def upload(  # pyright: ignore[reportIncompatibleMethodOverride]  # it takes `RequestOptions` for any name
        self,
        *,
        file: FileContent,
        name: str | Unset = UNSET,
        content_type: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[RequestOptions],
    ) -> File:
        """Upload a file of any size, streaming it without holding it in memory.

        The bytes sent are compared with the checksum of the stored file. The client's `timeout` limits each period
        without network activity, not the whole upload. The upload is retried like other calls, from the first byte,
        unless the file cannot be rewound (an iterator, a pipe).

        Scope: `files:write`.

        Args:
            file: The bytes; a file opened for reading in binary mode, which is sent from its current position and stays
                open; a `pathlib.Path`; or an iterator of bytes, which is sent once. An `UploadFile` of Starlette or
                FastAPI supplies its name and type; `AsyncClient` also accepts async files and iterators.
            name: Name to store the file under; defaults to the file's own name.
            content_type: Its media type; None guesses it from the name.
            on_progress: Called with a `Progress` after each part that was sent; restarts with each retry.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The stored file.

        Raises:
            ArgumentError: the file cannot be read.
            ChecksumError: the stored bytes differ from those sent.
            ValidationError: 400, `VALIDATION_ERROR`: a bad field.
            ConflictError: 409, `REQUEST_IN_PROGRESS`: a request with the same `Idempotency-Key` is still running.
            RedcoreAPIError: 413, `PAYLOAD_TOO_LARGE`: the file is larger than the platform accepts.
            ValidationError: 422, `BUSINESS_RULE_VIOLATION`: the quota is used up; `IDEMPOTENCY_KEY_REUSED`: the key
                was used with another body before.

        Example:
            client.files.upload(file=Path("catalog.csv"))
        """
        if is_awaited(file):
            raise ArgumentError("a file or an iterator that is awaited can be uploaded by AsyncClient only")
        check_blocking_callback("on_progress", on_progress)
        return self._run(self._transfers(options).upload(file, name, content_type, on_progress))

    @overload
    def download(  # pyright: ignore[reportIncompatibleMethodOverride]  # it takes `RequestOptions` for any name
        self,
        file_id: str,
        *,
        to: None = None,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[RequestOptions],
    ) -> bytes: ...
    @overload
    def download(
        self,
        file_id: str,
        *,
        to: Destination,
        on_progress: Callable[[Progress], None] | None = None,
        resume: bool = True,
        **options: Unpack[RequestOptions],
    ) -> None: ...
    def download(  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        self,
        file_id: str,
        *,
        to: Destination | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        resume: bool = True,
        **options: Unpack[RequestOptions],
    ) -> bytes | None:
        """Download a file and verify its checksum.

        If a connection breaks, the download resumes on a new one, up to `max_retries` times. The client's `timeout`
        limits each period without network activity, its `deadline` the whole download.

        A download to a path is first written to `PATH.FILE_ID.part` and moved when it is complete and verified. If it
        is interrupted, the partial file stays, and the next download of the file to this path resumes from it.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            to: A path, or a file opened for writing in binary mode, which stays open; None returns the bytes, at most
                64 MiB. A pipe or device is written to directly; a symbolic link is followed, and its target is replaced
                with the same owner and permissions. `AsyncClient` also accepts async files.
            on_progress: Called with a `Progress` for each part received.
            resume: Whether to resume from the partial file of an earlier download to this path.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The content of the file if `to` is None, else None.

        Raises:
            ArgumentError: the file cannot be written.
            ChecksumError: the received bytes differ from those stored; no file is left at the path.
            NotFoundError: 404, `RESOURCE_NOT_FOUND`: no such file in this organisation.
            NetworkError: connections broke too often.
            FileChangedError: the file was replaced during the download.
            ResponseError: the response is not the file, or the file is too large to return.

        Example:
            client.files.download("file_4711", to="catalog.csv")
        """
        check_blocking_callback("on_progress", on_progress)
        return self._run(down(self._transfers(options), file_id, to, on_progress, resume=resume))

    def stream(self, file_id: str, **options: Unpack[RequestOptions]) -> StreamedFile:
        """Stream a file in chunks, to pipe it elsewhere.

        Nothing is sent before the block is entered; leaving it early closes the connection without reading the rest.
        Broken connections are resumed as for `download`. The checksum is verified after the last chunk.

        Scope: `files:read`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The content, to iterate inside `with`; entering and iterating raise the same errors as `download`.

        Example::

            with client.files.stream("file_4711") as content:
                for piece in content:
                    print(len(piece))
        """
        return StreamedFile(self._run, *self._transfers(options).begin(file_id))


class AsyncFiles(generated.AsyncFiles):
    __doc__ = generated.AsyncFiles.__doc__
    __slots__ = ("_run", "_transfers")

    def __init__(self, execute: AsyncCall, run: AsyncRunFlow, transfers: Choose) -> None:
        super().__init__(execute)
        self._run = run
        self._transfers = transfers

    async def upload(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *,
        file: AsyncFileContent,
        name: str | Unset = UNSET,
        content_type: str | None = None,
        on_progress: Callable[[Progress], Awaitable[None] | None] | None = None,
        **options: Unpack[RequestOptions],
    ) -> File:
        return await self._run(self._transfers(options).upload(file, name, content_type, on_progress))

    @overload
    async def download(
        self,
        file_id: str,
        *,
        to: None = None,
        on_progress: Callable[[Progress], Awaitable[None] | None] | None = None,
        **options: Unpack[RequestOptions],
    ) -> bytes: ...
    @overload
    async def download(
        self,
        file_id: str,
        *,
        to: AsyncDestination,
        on_progress: Callable[[Progress], Awaitable[None] | None] | None = None,
        resume: bool = True,
        **options: Unpack[RequestOptions],
    ) -> None: ...
    async def download(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        file_id: str,
        *,
        to: AsyncDestination | None = None,
        on_progress: Callable[[Progress], Awaitable[None] | None] | None = None,
        resume: bool = True,
        **options: Unpack[RequestOptions],
    ) -> bytes | None:
        return await self._run(down(self._transfers(options), file_id, to, on_progress, resume=resume))

    def stream(self, file_id: str, **options: Unpack[RequestOptions]) -> AsyncStreamedFile:
        """Stream a file in chunks: like `Files.stream`, with `async with` and `async for`.

        Args:
            file_id: Id of the file, `file_…`.
            options: Options of this call alone, as `with_options` takes them.

        Returns:
            The content, to iterate inside `async with`.

        Example::

            async with client.files.stream("file_4711") as content:
                async for piece in content:
                    print(len(piece))
        """
        return AsyncStreamedFile(self._run, *self._transfers(options).begin(file_id))

    upload.__doc__ = awaited(Files.upload.__doc__)
    download.__doc__ = awaited(Files.download.__doc__)


class _Content:
    """What `StreamedFile` and `AsyncStreamedFile` share."""

    def __init__(self, download: Download, meter: Meter) -> None:
        self._download = download
        self._meter = meter
        self._entered = self._used = False

    @property
    def size(self) -> int | None:
        """Size of the whole file in bytes; None if the platform does not report it."""
        return self._meter.total

    def _check_unused(self) -> None:
        if self._used:
            raise RedcoreError("the content can be read once; call stream() again")

    def _check_entered(self) -> None:
        if not self._entered:
            raise RedcoreError("read the content inside its `with` block, which closes the connection")

    def _next(self) -> Flow[bytes]:
        piece = yield from self._download.read()
        if not piece:
            yield from self._download.check()
        return piece


@public
class StreamedFile(_Content):
    """The content of a file in chunks; made by `client.files.stream()`."""

    def __init__(self, run: RunFlow, download: Download, meter: Meter) -> None:
        super().__init__(download, meter)
        self._run = run

    def __enter__(self) -> Self:
        self._check_unused()
        self._run(self._download.open())
        self._entered = self._used = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        self._run(self._download.close())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._check_entered()
        piece = self._run(self._next())
        if not piece:
            raise StopIteration
        return piece


@public
class AsyncStreamedFile(_Content):
    """The content of a file in chunks; made by `client.files.stream()`."""

    def __init__(self, run: AsyncRunFlow, download: Download, meter: Meter) -> None:
        super().__init__(download, meter)
        self._run = run

    async def __aenter__(self) -> Self:
        self._check_unused()
        await self._run(self._download.open())
        self._entered = self._used = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        await self._run(self._download.close())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._check_entered()
        piece = await self._run(self._next())
        if not piece:
            raise StopAsyncIteration
        return piece


def down(
    transfers: Transfers, file_id: str, to: AsyncDestination | None, on_progress: OnProgress | None, *, resume: bool
) -> Flow[bytes | None]:
    """Download a file into memory, to a path or to an open file."""
    if to is None:
        return transfers.held(file_id, on_progress)
    if isinstance(to, str | os.PathLike):
        return transfers.saved(file_id, to, on_progress, resume=resume)
    return transfers.written(file_id, to, on_progress)
