"""Receives one redirect of a browser on the loopback interface (RFC 8252 section 7.3).

One implementation for both colours: blocking code runs it in a portal's event loop. It reads the head of a request and
answers with one small page; what the redirect means is the business of `authorization`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import SplitResult, urlsplit

import anyio
import anyio.abc

from redcore.exceptions import ArgumentError
from redcore.login.deadline import LoginTimeoutError, checked

MAX_HEAD_BYTES = 16 * 1024
CONNECTION_S = 10.0
"""How long one connection may take: browsers open some that they never use."""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto 0; padding: 0 1.5rem; }}
</style>
<h1>{title}</h1>
<p>{text}</p>
"""
PAGES = {
    200: ("Back to the application", "You can close this window and go on in the application."),
    400: (
        "Not signed in",
        "The sign-in was not completed. You can close this window and try again.",
    ),
    404: ("Nothing here", "This address only receives the answer of a sign-in."),
}


class Receiver:
    """Waits for the redirect of one login."""

    def __init__(self, redirect_uri: str, path: str, deadline_s: float) -> None:
        self.redirect_uri = redirect_uri
        """Where it listens: the registered address, with the port."""
        self.ends_at: float = anyio.current_time() + deadline_s
        """When it gives up, on the event loop's clock."""
        self._deadline_s = deadline_s
        self._path = path
        self._query: str | None = None
        self._answered = anyio.Event()

    async def wait(self) -> str:
        """The query of the redirect.

        Raises:
            LoginTimeoutError: none came in time.
        """
        with anyio.CancelScope(deadline=self.ends_at):
            await self._answered.wait()
        if self._query is None:
            raise LoginTimeoutError(self._deadline_s)
        return self._query

    async def answer(self, stream: anyio.abc.SocketStream) -> None:
        """Serve one connection."""
        status = 404
        with gone_is_gone():
            async with stream:
                with anyio.move_on_after(CONNECTION_S):
                    status = self._take(await read_head(stream))
                    await stream.send(page(status))
        if status != 404:  # only now: whoever waits for the redirect closes all connections
            self._answered.set()

    def _take(self, head: bytes) -> int:
        """Keep the query of the first GET of the redirect's path; the HTTP status to answer with."""
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or words[0] != "GET" or self._query is not None:
            return 404
        path, _, query = words[1].partition("?")
        if path != self._path:
            return 404
        self._query = query
        return 400 if query.startswith("error=") or "&error=" in query else 200


@asynccontextmanager
async def receiver(redirect_uri: str, deadline_s: float) -> AsyncGenerator[Receiver]:
    """Listen at a loopback address, as long as the context lasts.

    Args:
        redirect_uri: As registered; without a port a free one is taken.
        deadline_s: Seconds to wait for the redirect, from now.

    Raises:
        ConfigurationError: the deadline is none.
        ArgumentError: it is no loopback address, or its port is taken.
    """
    parts, patience_s = checked_loopback(redirect_uri), checked(deadline_s)
    host = parts.hostname or ""
    try:
        listener = await anyio.create_tcp_listener(local_host=host, local_port=parts.port or 0)
    except OSError as problem:
        raise ArgumentError(f"nothing can listen at {redirect_uri}: {problem.strerror}") from problem
    failure: BaseException | None = None
    async with listener, anyio.create_task_group() as connections:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 (not Django's)
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        made = Receiver(parts._replace(netloc=netloc).geturl(), parts.path or "/", patience_s)
        connections.start_soon(listener.serve, made.answer)
        try:
            yield made
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 (raised below: the task group would wrap it in another)
            failure = error
        connections.cancel_scope.cancel()
    if failure is not None:
        raise failure


def checked_loopback(redirect_uri: str) -> SplitResult:
    """The parts of a redirect URI that leads to this machine.

    Raises:
        ArgumentError: it leads elsewhere, or may (RFC 8252 section 8.3: `localhost` is a name, which others may own).
    """
    refusal = ArgumentError("redirect_uri must look like http://127.0.0.1/callback: http, a loopback address, a path")
    try:
        parts = urlsplit(redirect_uri)
        is_loopback = ipaddress.ip_address(parts.hostname or "").is_loopback and parts.port != 0
    except ValueError:
        raise refusal from None
    if not is_loopback or parts.scheme != "http" or parts.query or parts.fragment or parts.username is not None:
        raise refusal
    return parts


async def read_head(stream: anyio.abc.SocketStream) -> bytes:
    """The head of a request; empty if it is too long."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive(4096)
        if len(head) > MAX_HEAD_BYTES:
            return b""
    return head


@contextmanager
def gone_is_gone() -> Generator[None]:
    """A browser that breaks its connection wants no answer; it may open another."""
    try:
        yield
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


def page(status: int) -> bytes:
    """A whole HTTP answer."""
    title, text = PAGES[status]
    body = PAGE.format(title=title, text=text).encode()
    lines = [
        f"HTTP/1.1 {status} {title}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
