"""Parses HTTP/1.1 responses with llhttp, the parser of Node.js, through httptools. Performs no I/O.

llhttp's lenient flags stay off: bare line feeds, folded headers, a second length, and a length together with chunks are
errors, because two parsers that disagree about where a message ends can be exploited (RFC 9112 section 11.2).
"""

from __future__ import annotations

from functools import lru_cache

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from redcore._base.response import Headers, Response
from redcore._transport.body_reader import BODILESS, Body, announces_body
from redcore._transport.errors import BY_LOOPS, Foreign

MAX_OVERHEAD_BYTES = 100 * 1024  # the limit of h11, which httpcore uses; servers send a few hundred bytes
TOO_MUCH = f"more than {MAX_OVERHEAD_BYTES} bytes of headers, chunk extensions or trailers"
VERSIONS = {"1.0", "1.1"}


class BrokenAnswer(Exception):  # noqa: N818 (never leaves the transport)
    """The bytes are not a valid response."""


DIRECT = Foreign(
    late=(TimeoutError,),
    no_address=(UnicodeError,),  # of the name of a host
    no_header=(),  # checked before anything is sent
    no_encoding=(),
    no_answer=(*BY_LOOPS, BrokenAnswer),
)


class AnswerReader:
    """Parses the responses of one connection in sequence.

    States: `begin` -> head -> body -> complete. The next `begin` is allowed if the response was `reusable`.
    """

    status: int
    """0 until the head is complete; informational responses (1xx) are skipped."""
    headers: Headers
    encoding: str | None
    """`Content-Encoding`."""
    complete: bool
    """Whether the answer has been read to its end."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.status = 0
        self.complete = False

    def begin(self, method: str) -> None:
        """Expect the response to a request of this method."""
        self.status = 0
        self.complete = False
        self._has_body = method != "HEAD"
        self._keeps_alive = self._ends_with_connection = False
        self._overhead = 0
        self._problem: str | None = None
        self._values: dict[str, str] = {}
        self._pieces: list[bytes] = []

    @property
    def reusable(self) -> bool:
        """Whether the connection can be used for another request."""
        return self.complete and self._keeps_alive

    @property
    def refuses(self) -> bool:
        """Whether the server has responded before the request was sent completely."""
        return self.status >= 300

    def feed(self, data: bytes | memoryview) -> None:
        """Parse received bytes.

        Raises:
            BrokenAnswer: they are not a valid response, or the head is too large.
        """
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as problem:  # Ctrl-C in one of the methods below
            raise problem.__context__ or problem from None
        except (HttpParserError, HttpParserUpgrade) as problem:
            if not self.complete:
                raise BrokenAnswer(why(problem)) from problem
            self._keeps_alive = False
        if self._problem is not None:
            raise BrokenAnswer(self._problem)
        if self._overhead > MAX_OVERHEAD_BYTES and not self.complete:
            raise BrokenAnswer(TOO_MUCH)

    def end(self) -> None:
        """Handle the end of the connection, which completes a response without a length.

        Raises:
            BrokenAnswer: the response is incomplete.
        """
        if not self.complete and not self._ends_with_connection:
            raise BrokenAnswer("the connection ended before the answer did")
        self.complete = True

    def take(self) -> list[bytes]:
        """Return the body bytes received since the last call, not decompressed."""
        pieces, self._pieces = self._pieces, []
        return pieces

    # Called by the parser ------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Detect an unsolicited response."""
        if self.complete:
            self._keeps_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; trailers are ignored."""
        if not self.status:
            values, key, text = self._values, lower_case(name), value.decode("latin-1").rstrip(" \t")
            values[key] = f"{values[key]}, {text}" if key in values else text

    def on_headers_complete(self) -> None:
        """Evaluate the head, unless the response is informational."""
        if self.complete:  # the head of another response
            return
        parser = self._parser
        status = parser.get_status_code()
        if 100 <= status < 200:  # RFC 9110 section 15.2; 101 is an error of the parser
            self._values.clear()
            return
        values = self._values
        self.headers = Headers.of_lower_case(values)
        self.encoding = values.get("content-encoding")
        coding = values.get("transfer-encoding")
        if status < 100 or parser.get_http_version() not in VERSIONS:
            self._problem = "the answer is not HTTP/1.1"
        elif coding is not None and coding.lower() != "chunked":
            self._problem = "the answer has a transfer encoding that was not asked for"
        elif self._overhead > MAX_OVERHEAD_BYTES and size_of(values) > MAX_OVERHEAD_BYTES:  # a part of it may be body
            self._problem = TOO_MUCH
        self.status = status
        self._ends_with_connection = coding is None and "content-length" not in values
        # The parser expects a body after a HEAD request, so it cannot parse another response afterwards; and none after
        # these statuses, although a server that announces one may still send it.
        is_in_sync = self._has_body and not (status in BODILESS and announces_body(self.headers))
        self._keeps_alive = is_in_sync and parser.should_keep_alive()
        self.complete = not self._has_body

    def on_body(self, piece: bytes) -> None:
        """Store a chunk of the body."""
        if self.complete:
            return
        self._overhead = 0
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Record the end of the response."""
        if self.status:
            self.complete = True


@lru_cache(maxsize=256)  # servers send the same few names with every response
def lower_case(name: bytes) -> str:
    """The name of a header."""
    return name.decode("ascii").lower()


def size_of(values: dict[str, str]) -> int:
    """The number of bytes of headers."""
    return sum(len(name) + len(value) + 4 for name, value in values.items())


def why(problem: Exception) -> str:
    """What is wrong with a response that the parser refuses, in words."""
    if isinstance(problem, HttpParserUpgrade):
        return "the server changed to another protocol"
    return f"the answer is not valid HTTP: {problem}"


class WholeAnswer:
    """Collects a response while it is read, decompressed and limited in size.

    Args:
        reader: Parses it.
        ends_at: When it must be complete, on the monotonic clock.
    """

    def __init__(self, reader: AnswerReader, ends_at: float) -> None:
        self._reader = reader
        self._ends_at = ends_at
        self._body: Body | None = None

    def collect(self) -> bool:
        """Take the body bytes that the reader has parsed; returns whether the response is complete.

        Raises:
            ResponseError: the body is too large, or not compressed as declared.
            TimeoutError: the moment has passed.
        """
        reader = self._reader
        if reader.status:
            if self._body is None:
                self._body = Body(reader.status, reader.encoding, self._ends_at)
            pieces = reader.take()
            if len(pieces) == 1:
                self._body.add(pieces[0])
            elif pieces:  # an object for each small chunk would take many times the memory of the body
                self._body.add(b"".join(pieces))
        return reader.complete

    def response(self) -> Response:
        """Return the complete response.

        Raises:
            ResponseError: its compressed form ended too early.
        """
        reader = self._reader
        return Response(reader.status, reader.headers, b"" if self._body is None else self._body.whole())
