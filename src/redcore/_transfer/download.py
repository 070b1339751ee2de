"""One download over as many connections as needed, as generators of steps: open, read, resume, verify.

States and legal transitions:

    closed  → open      the rest is requested (`Range`, RFC 9110 section 14), of the same version (`If-Range`)
    closed  → ended     416, and the file is already complete
    open    → closed    the connection broke: the rest is requested after a wait, as often as calls are retried
    open    → ended     the last byte was read
    ended   → checked   the digest matches the platform's
    any     → failed    another version, a wrong range, a wrong digest, the deadline, or too many failures

Performs no I/O, and keeps no bytes.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from redcore._base.operation import Operation
from redcore._base.response import Headers, Incoming
from redcore._base.runtime import new_id
from redcore._call.attempts import AttemptHistory
from redcore._call.engine import CallOptions, Engine
from redcore._call.steps import Budget, Close, Flow, Read, Sleep
from redcore._spec import operations
from redcore._wire.progress import Meter
from redcore.exceptions import ChecksumError, FileChangedError, NetworkError, RedcoreAPIError, ResponseError

CHECKSUM = re.compile(r'"([0-9a-f]{64})"')
PART = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:(\d{1,18})|\*)", re.IGNORECASE)  # 18 digits: a thousand petabytes
NO_PART = re.compile(r"bytes \*/(\d{1,18})", re.IGNORECASE)


class Download:
    """The download of one file.

    Args:
        engine: Makes the calls.
        options: The options of the call. The deadline covers the whole download, and all its requests have one id.
        file_id: The file.
        meter: Counts and hashes the bytes. Bytes that it has already counted are not fetched again.
    """

    def __init__(self, engine: Engine, options: CallOptions, file_id: str, meter: Meter) -> None:
        headers = {"X-Request-ID": new_id(), **options.headers}
        self._engine = engine
        self._options = attrs.evolve(options, headers=headers)
        self._file_id = file_id
        self._budget: Budget = engine.budget(options, headers["X-Request-ID"])
        self._meter = meter
        self._answer: Incoming | None = None
        self._etag: str | None = None
        self._surplus = 0  # bytes to skip, from a server without range support
        self._breaks = 0
        self._history = AttemptHistory(engine.runtime.monotonic, headers["X-Request-ID"])
        self._ended = False

    def open(self) -> Flow[None]:
        """Request the bytes that the meter has not counted yet.

        Raises:
            RedcoreError: as for any call.
            FileChangedError: the counted bytes are of another version.
            ResponseError: the response does not match the request.
        """
        try:
            answer = yield from self._engine.call(self._asked(), self.left())
        except RedcoreAPIError as error:
            if error.status_code != 416:
                raise
            self._nothing_left(error)
            return
        try:
            self._begin(answer)
        except ResponseError as error:
            error.request_id = self._budget.request_id
            yield Close(answer)
            raise
        self._answer = answer

    def read(self) -> Flow[bytes]:
        """The next bytes; empty at the end.

        Raises:
            NetworkError: the connection broke and no retries are left, or the deadline has passed.
            RedcoreError: as `open`.
        """
        while not self._ended:
            if self._answer is None:
                yield from self.open()
                continue
            try:
                piece: bytes = yield Read(self._answer)
                if not piece and self._meter.total is not None and self._meter.done < self._meter.total:
                    raise NetworkError("no answer: the file ended too early")  # noqa: TRY301 (as if the library had)
            except NetworkError as error:
                yield from self.close()
                yield from self._wait(error)
                continue
            if not piece:
                yield from self.close()
                self._ended = True
            elif self._surplus < len(piece):
                return self._counted(piece)
            else:
                self._surplus -= len(piece)
        return b""

    def close(self) -> Flow[None]:
        """Close the connection, if there is one, without reading the rest."""
        answer, self._answer = self._answer, None
        if answer is not None:
            yield Close(answer)

    def check(self) -> Flow[None]:
        """Compare the received bytes with the platform's checksum, from the ETag or else from the file's metadata.

        Raises:
            ChecksumError: they differ.
        """
        found = CHECKSUM.fullmatch(self._etag or "")
        expected = found[1] if found else (yield from self._described())
        if expected != self._meter.sha256:
            raise ChecksumError(
                f"the bytes of file {self._file_id} are not those that were stored; download it again",
                expected=expected,
                actual=self._meter.sha256,
                request_id=self._budget.request_id,
            )

    def left(self) -> CallOptions:
        """The options of the next call, with the remaining deadline and retries."""
        self._budget.attempt_s()
        return attrs.evolve(self._options, deadline_s=self._budget.remaining_s(), failed=self._breaks)

    def _asked(self) -> Operation[Incoming]:
        headers = {"Accept": "*/*"}
        if self._meter.done:
            headers["Range"] = f"bytes={self._meter.done}-"
        if self._meter.done and self._etag is not None and not self._etag.startswith("W/"):  # RFC 9110 section 13.1.5
            headers["If-Range"] = self._etag
        whole: Operation[Any] = operations.files_download(self._file_id)
        return attrs.evolve(whole, headers=headers, shape="open")

    def _begin(self, answer: Incoming) -> None:
        """Check which bytes a response contains."""
        headers = answer.headers
        if headers.get("content-encoding", "").lower() not in {"", "identity"}:
            raise ResponseError("the file has a content encoding that was not asked for")
        self._same_version(headers)
        if answer.status_code == 206:
            part = PART.fullmatch(headers.get("content-range", ""))
            if part is None or int(part[1]) != self._meter.done:
                raise ResponseError("the answer is another part of the file than was asked for")
            self._surplus, self._meter.total = 0, self._meter.total if part[2] is None else int(part[2])
            return
        length = headers.get("content-length", "")
        self._surplus, self._meter.total = self._meter.done, int(length) if length.isdecimal() else None

    def _same_version(self, headers: Headers) -> None:
        """Compare the version with the one that was begun; without one in the response, the checksum decides."""
        etag = headers.get("etag")
        if self._etag is None:
            self._etag = etag
        elif etag is not None and etag.removeprefix("W/") != self._etag.removeprefix("W/"):  # intermediaries weaken it
            raise FileChangedError("the file changed while it was downloaded; download it again")

    def _nothing_left(self, error: RedcoreAPIError) -> None:
        """Handle 416: the file is already complete, or is another version."""
        found = NO_PART.fullmatch(error.response.headers.get("content-range", ""))
        if found is None or int(found[1]) != self._meter.done:
            raise FileChangedError("the file is shorter than the part of it that is here", request_id=error.request_id)
        self._same_version(error.response.headers)
        self._meter.total = self._meter.done
        self._ended = True

    def _counted(self, piece: bytes) -> bytes:
        piece, self._surplus = piece[self._surplus :], 0
        self._meter.add(piece)
        return piece

    def _wait(self, error: NetworkError) -> Flow[None]:
        """Wait before the rest is requested, or raise the error with the reason why there is no further attempt."""
        error.request_id = self._budget.request_id
        self._breaks += 1
        wait = self._engine.next_wait(error, self._breaks, self._history, self._options, self._budget)
        if isinstance(wait, str):
            raise error
        yield Sleep(wait, "retry")
        self._history.begin()

    def _described(self) -> Flow[str]:
        file = yield from self._engine.call(operations.files_get(self._file_id), self.left())
        return file.sha256
