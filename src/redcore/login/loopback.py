"""Receives a browser's redirect on the loopback interface (RFC 8252 section 7.3).

One implementation for sync and async code: blocking code runs it in a portal's event loop. It reads the head of a
request and answers with one small page. Any program and any web page on this machine can send it requests (RFC 8252
section 8.9): only a request that `authorization` accepts as the redirect ends the wait; all others are rejected.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import copy_context
from typing import cast
from urllib.parse import SplitResult, quote, unquote, urlsplit

import anyio
import anyio.abc

from redcore._wire.callbacks import at_once
from redcore.exceptions import ArgumentError, ConfigurationError, LoginTimeoutError
from redcore.login.deadline import checked_deadline
from redcore.tokens.single_flight import from_any_thread

MAX_HEAD_BYTES = 1024 * 1024
"""Of a request, with the cookies of all ports of this machine: Chrome sends up to 180, of 4 KiB each."""
RECEIVE_BYTES = 64 * 1024  # of one read: almost every request at once
ACCEPT_PAUSE_S = 0.1  # as between two polls: without a free file, the next attempt fails as well
CONNECTION_S = 10.0
"""How long one connection may take; browsers open connections that they never use."""
NO_BROWSER = "no browser could be opened: give open_browser=print, or use redcore.login.on_device"
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
    403: ("Another sign-in", "This is not the answer to the sign-in that the application waits for; it still waits."),
    404: ("Nothing here", "This address only receives the answer of a sign-in."),
    405: ("Method not allowed", "This address only receives the answer of a sign-in."),
    421: ("Misdirected request", "This address only receives the answer of a sign-in."),
}


class Receiver:
    """Waits for the redirect of one login.

    Args:
        redirect: The registered address, with the listening port.
        deadline_s: Seconds to wait, from now.
    """

    def __init__(self, redirect: SplitResult, deadline_s: float) -> None:
        self.redirect_uri: str = redirect.geturl()
        """The registered address, with the listening port."""
        self.ends_at: float = anyio.current_time() + deadline_s
        """When the wait ends, on the event loop's clock."""
        self.is_answer: Callable[[str], bool] = lambda _: False
        """Whether a query is the expected redirect; always False before a login has begun."""
        self._deadline_s = deadline_s
        self._hosts = authorities(redirect)
        self._path = redirect.path or "/"
        self._query: str | None = None
        self._failure: BaseException | None = None
        self._ended = anyio.Event()

    def open(self, open_browser: Callable[[str], object], url: str) -> None:
        """Open a browser in a thread, which some browsers keep until the person leaves them.

        If that fails, the wait ends.
        """
        end = from_any_thread(self._ended.set)

        def run() -> None:
            try:
                check(open_browser(url))
            except BaseException as error:  # noqa: BLE001 (raised by `wait`)
                self._failure = error
                with suppress(RuntimeError):  # the wait has ended, and its event loop too
                    end()

        threading.Thread(target=copy_context().run, args=[run], name="redcore-browser", daemon=True).start()

    async def wait(self) -> str:
        """The query of the redirect.

        Raises:
            LoginTimeoutError: no redirect arrived in time.
            BaseException: what `open_browser` raised.
        """
        with anyio.CancelScope(deadline=self.ends_at):
            await self._ended.wait()
        if self._query is not None:
            return self._query
        raise self._failure or LoginTimeoutError(self._deadline_s)

    async def answer(self, stream: anyio.abc.SocketStream) -> None:
        """Serve one connection."""
        query: str | None = None
        with gone_is_gone():
            async with stream:
                with anyio.move_on_after(CONNECTION_S):
                    status, query = self._judge(await read_head(stream))
                    await stream.send(page(status))
        if query is not None:  # last, because the end of the wait closes all connections
            self._query = query
            self._ended.set()

    def _judge(self, head: bytes) -> tuple[int, str | None]:
        """The HTTP status for a request, and its query if it is the expected redirect."""
        request, *fields = head.decode("latin-1").split("\r\n")
        words = request.split(" ")
        path, _, query = words[1].partition("?") if len(words) == 3 else ("", "", "")
        if path != self._path:
            return 404, None
        if words[0] != "GET":
            return 405, None
        if host_in(fields) not in self._hosts:  # a web page whose name resolves to this machine (DNS rebinding)
            return 421, None
        if self._query is not None or not self.is_answer(query):
            return 403, None
        return 400 if query.startswith("error=") or "&error=" in query else 200, query


@asynccontextmanager
async def receiver(redirect_uri: str, deadline_s: float) -> AsyncGenerator[Receiver]:
    """Listen on a loopback address while the context is open.

    Args:
        redirect_uri: As registered; without a port, a free port is used.
        deadline_s: Seconds to wait for the redirect, from now.

    Raises:
        ConfigurationError: the deadline is not a number of seconds above 0.
        ArgumentError: it is not a loopback address, or its port is in use.
    """
    parts, deadline_s = checked_loopback(redirect_uri), checked_deadline(deadline_s)
    host = parts.hostname or ""
    try:
        listener = await anyio.create_tcp_listener(local_host=host, local_port=parts.port or 0)
    except OSError as problem:
        raise ArgumentError(f"nothing can listen at {redirect_uri}: {problem.strerror}") from problem
    failure: BaseException | None = None
    async with listener, anyio.create_task_group() as connections:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 (not Django's)
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        made = Receiver(parts._replace(netloc=netloc), deadline_s)
        connections.start_soon(serve, cast("anyio.abc.SocketListener", listener.listeners[0]), made, connections)
        try:
            yield made
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 (raised below: the task group would wrap it in another)
            failure = error
        connections.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def serve(listener: anyio.abc.SocketListener, waiting: Receiver, connections: anyio.abc.TaskGroup) -> None:
    """Serve all connections, past those that cannot be accepted: one was reset meanwhile, or no file is free.

    Any program on this machine can cause both.
    """
    while True:
        try:
            stream = await listener.accept()
        except (OSError, anyio.BrokenResourceError):  # the latter on trio
            await anyio.sleep(ACCEPT_PAUSE_S)
        else:
            connections.start_soon(waiting.answer, stream)


def check(opened: object) -> None:
    """Check what `open_browser` returned.

    Raises:
        ConfigurationError: no browser could be opened, or it is a coroutine, which nothing awaits.
    """
    if at_once(opened) is False:
        raise ConfigurationError(NO_BROWSER)


def checked_loopback(redirect_uri: str) -> SplitResult:
    """Parse a redirect URI that points to this machine.

    Raises:
        ArgumentError: it points elsewhere, or may (RFC 8252 section 8.3: `localhost` is a name that others may own),
            or a browser would send another path.
    """
    refusal = ArgumentError("redirect_uri must look like http://127.0.0.1/callback: http, a loopback address, a path")
    if not isinstance(cast("object", redirect_uri), str):
        raise refusal
    try:
        parts = urlsplit(redirect_uri)
        is_loopback = ipaddress.ip_address(parts.hostname or "").is_loopback and parts.port != 0
    except ValueError:
        raise refusal from None
    if not is_loopback or parts.scheme != "http" or parts.query or parts.fragment or parts.username is not None:
        raise refusal
    if not is_sent_as_it_is(parts.path):
        raise ArgumentError("the path of redirect_uri must be as browsers send it: percent-encoded, without . and ..")
    return parts


def is_sent_as_it_is(path: str) -> bool:
    """Whether a browser asks for a path unchanged: it encodes other characters, and resolves dots (RFC 3986, 5.2.4)."""
    is_encoded = quote(path, safe="/%:@!$&'()*+,;=") == path
    return is_encoded and not any(unquote(segment) in {".", ".."} for segment in path.split("/"))


def authorities(redirect: SplitResult) -> set[str]:
    """The values a browser may send as `Host`: it shortens an IPv6 address, and omits the default port."""
    address = ipaddress.ip_address(redirect.hostname or "")
    host = f"[{address.compressed}]" if address.version == 6 else address.compressed
    return {f"{host}:{redirect.port}"} | ({host} if redirect.port == 80 else set[str]())


def host_in(fields: list[str]) -> str | None:
    """The `Host` of a request; None unless it has exactly one (RFC 9112 section 3.2)."""
    hosts = [value.strip() for name, _, value in (field.partition(":") for field in fields) if name.lower() == "host"]
    return hosts[0].lower() if len(hosts) == 1 else None


async def read_head(stream: anyio.abc.SocketStream) -> bytes:
    """The head of a request, without what follows it on the connection; empty if it is too long."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += await stream.receive(RECEIVE_BYTES)
        if len(received) > MAX_HEAD_BYTES:
            return b""
    return received.partition(b"\r\n\r\n")[0]


@contextmanager
def gone_is_gone() -> Generator[None]:
    """Ignore a connection that the browser closes; it may open another."""
    try:
        yield
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


def page(status: int) -> bytes:
    """A complete HTTP response."""
    title, text = PAGES[status]
    body = PAGE.format(title=title, text=text).encode()
    lines = [
        f"HTTP/1.1 {status} {title}",
        *(["Allow: GET"] if status == 405 else []),  # RFC 9110 section 15.5.6
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
