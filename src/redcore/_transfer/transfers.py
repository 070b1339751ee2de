"""Complete uploads and downloads, as generators of steps: the file, its progress, its checksum. Performs no I/O."""

from __future__ import annotations

import os
from functools import partial
from typing import IO, Any

import attrs

from redcore._base.runtime import new_id
from redcore._base.values import Unset
from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Flow, Notify, Sleep, Work
from redcore._spec import operations
from redcore._spec.models import File
from redcore._transfer.destination import PipeTarget, Place, Target
from redcore._transfer.download import Download
from redcore._transfer.partial_file import PartialFile
from redcore._wire.callbacks import check_callback
from redcore._wire.file_sources import NamedPipe
from redcore._wire.multipart import FilePart
from redcore._wire.progress import Meter, OnProgress, Progress
from redcore._wire.source import Source
from redcore.exceptions import ChecksumError, FileChangedError, ResponseError

MAX_HELD_BYTES = 64 * 1024 * 1024  # documented in `download`
PIPE_POLL_S = 0.05  # a pipe without its other end can only be polled


@attrs.frozen(kw_only=True)
class Transfers:
    """The transfers of one client."""

    engine: Engine
    options: CallOptions

    def upload(
        self, file: Any, name: str | Unset, content_type: str | None, on_progress: OnProgress | None
    ) -> Flow[File]:
        """Upload a file, and compare the sent bytes with the stored ones.

        Raises:
            ChecksumError: they differ.
            RedcoreError: as for any call.
        """
        check_callback("on_progress", on_progress)
        known = name if isinstance(name, str) else None
        part: FilePart | None = yield Work(partial(FilePart.of, file, name=known, content_type=content_type))
        meter = Meter(None if part is None else part.source.size, on_progress)
        content: Any = file if part is None else attrs.evolve(part, meter=meter)
        if part is not None and not isinstance(name, str) and any(character in part.name for character in '"\\'):
            name = part.name  # the header of a part cannot have it: servers do not decode what stands for these
        try:
            options = self.options if part is None else (yield from self._ready(part.source))
            stored = yield from self.engine.call(operations.files_upload(file=content, name=name), options)
        finally:
            if part is not None:
                part.source.close()  # a pipe is open before there is a request, which may need a token first
        if meter.complete and stored.sha256 != meter.sha256:
            raise ChecksumError(
                f"the bytes of file {stored.id} are not those that were sent; delete it and upload again",
                expected=meter.sha256,
                actual=stored.sha256,
            )
        return stored

    def _ready(self, source: Source) -> Flow[CallOptions]:
        """Wait until a pipe has a writer; return the options with what is left of the deadline."""
        if not isinstance(source, NamedPipe):
            return self.options
        headers = {"X-Request-ID": new_id(), **self.options.headers}
        budget = self.engine.budget(self.options, headers["X-Request-ID"])
        while not (yield Work(source.open)):
            budget.attempt_s()  # raises when the deadline has passed
            yield Sleep(PIPE_POLL_S)
        source.check = budget.attempt_s
        return attrs.evolve(self.options, deadline_s=budget.remaining_s(), headers=headers)

    def begin(self, file_id: str) -> tuple[Download, Meter]:
        """Begin a download from the first byte."""
        meter = Meter()
        return Download(self.engine, self.options, file_id, meter), meter

    def held(self, file_id: str, on_progress: OnProgress | None) -> Flow[bytes]:
        """Download a file into memory.

        Raises:
            ResponseError: it is too large to hold in memory.
            RedcoreError: as for any call.
        """
        pieces: list[bytes] = []

        def keep(piece: bytes, meter: Meter) -> Flow[None]:
            if max(meter.done, meter.total or 0) > MAX_HELD_BYTES:
                raise ResponseError(
                    f"the file is larger than {MAX_HELD_BYTES} bytes; download it to a path with to=, or use stream()"
                )
            pieces.append(piece)
            yield from ()

        download, meter = self.begin(file_id)
        yield from self._pass(download, meter, keep, on_progress)
        return b"".join(pieces)

    def written(self, file_id: str, file: object, on_progress: OnProgress | None) -> Flow[None]:
        """Download into an open file of the application."""
        download, meter = self.begin(file_id)
        yield from self._write(download, meter, Target(file), on_progress)

    def saved(
        self, file_id: str, path: str | os.PathLike[str], on_progress: OnProgress | None, *, resume: bool
    ) -> Flow[None]:
        """Download to a path: to a file through a partial file, or directly to a pipe or device."""
        place: Place = yield Work(partial(Place.of, path))
        if place.is_stream:
            yield from self._through(file_id, place, on_progress)
        else:
            yield from self._replaced(file_id, place, on_progress, resume=resume)

    def _through(self, file_id: str, place: Place, on_progress: OnProgress | None) -> Flow[None]:
        """Write to a pipe or device, once there is a reader; written bytes cannot be taken back."""
        download, meter = self.begin(file_id)
        file: IO[bytes] | None
        while (file := (yield Work(place.open_stream))) is None:
            download.left()  # raises when the deadline has passed
            yield Sleep(PIPE_POLL_S)
        target = Target(file) if os.get_blocking(file.fileno()) else PipeTarget(file, download.left)
        try:
            yield from self._write(download, meter, target, on_progress)
        finally:
            yield Work(file.close)

    def _replaced(self, file_id: str, place: Place, on_progress: OnProgress | None, *, resume: bool) -> Flow[None]:
        """Create or replace a file, resuming an earlier download.

        Raises:
            ChecksumError: the received bytes differ from the stored ones; they are discarded.
            RedcoreError: as for any call; the received bytes are kept for another download.
        """
        part = PartialFile(place, file_id)
        download, meter = self.begin(file_id)
        file: IO[bytes] = yield Work(partial(part.open, meter, resume=resume))
        found = meter.done
        try:
            yield from self._write(download, meter, Target(file), on_progress)
        except (FileChangedError, ChecksumError):
            yield Work(part.drop)
            if not found:
                raise
            again = attrs.evolve(self, options=download.left())  # the partial file was not the beginning of this file
            yield from again._replaced(file_id, place, on_progress, resume=False)  # noqa: SLF001 (of the same class)
        except BaseException:
            yield Work(part.leave)
            raise
        else:
            yield Work(part.keep)

    def _write(self, download: Download, meter: Meter, target: Target, on_progress: OnProgress | None) -> Flow[None]:
        yield from target.probe()

        def write(piece: bytes, _: Meter) -> Flow[None]:
            return target.add(piece)

        try:
            yield from self._pass(download, meter, write, on_progress)
        finally:
            yield from target.flush()

    def _pass(self, download: Download, meter: Meter, on: Any, on_progress: OnProgress | None) -> Flow[None]:
        """Pass on all bytes of a download."""
        check_callback("on_progress", on_progress)
        try:
            while piece := (yield from download.read()):
                yield from on(piece, meter)
                if on_progress is not None:
                    yield Notify(on_progress, Progress(meter.done, meter.total), must_finish=False)
            yield from download.check()
        finally:
            yield from download.close()
