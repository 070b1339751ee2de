"""What arrives at the port of a login in the browser: the redirect, and everything else."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import anyio.lowlevel
import httpx
import pytest
from tests.client.login_browser import Browser, is_closed
from tests.client.loopback import Loopback

from redcore import AuthenticationError
from redcore.login import loopback


def test_the_page(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """The user sees a small page that loads nothing and is not cached."""
    browser = Browser(server.origin)

    log_in("in_browser", open_browser=browser, **login_options)

    browser.thread.join()
    (page,) = browser.pages
    assert (page.status_code, "You can close this window" in page.text) == (200, True)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "c0de" not in page.text


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"error": "access_denied", "code": None}, "access_denied", 400),
        ({"iss": "https://evil.example"}, "issuer_mismatch", 200),
    ],
)
def test_a_refusal(  # noqa: PLR0917 (fixtures)
    log_in: Callable[..., Any],
    login_options: Any,
    server: Loopback,
    changes: Mapping[str, str | None],
    code: str,
    status: int,
) -> None:
    """An answer with an error, or from another server, ends the login; no code is exchanged."""
    browser = Browser(server.origin, **changes)

    with pytest.raises(AuthenticationError) as caught:
        log_in("in_browser", open_browser=browser, **login_options)

    browser.thread.join()
    assert (caught.value.code, server.seen) == (code, [])
    assert [page.status_code for page in browser.pages] == [status]
    assert is_closed(browser.asked["redirect_uri"])


def test_other_requests(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """Another path is answered 404, another method 405, and the login continues."""
    browser = Browser(server.origin)

    def wander(url: str) -> None:
        query = dict(parse_qsl(urlsplit(url).query))
        uri = query["redirect_uri"]
        origin = uri.removesuffix("/callback")
        browser.pages.append(httpx.post(uri, trust_env=False))
        browser.visit(f"{origin}/favicon.ico", f"{origin}/callback/x?code=1", f"{origin}/{'x' * 20_000}")
        browser(url)

    log_in("in_browser", open_browser=wander, **login_options)

    browser.thread.join()
    assert [page.status_code for page in browser.pages] == [405, 404, 404, 404, 200]
    assert browser.pages[0].headers["allow"] == "GET"


def test_a_redirect_with_all_cookies_of_the_machine(
    log_in: Callable[..., Any], login_options: Any, server: Loopback
) -> None:
    """Browsers send those that servers on other ports have set; Node.js refuses 16 KiB of them."""
    browser = Browser(server.origin)
    browser.headers["Cookie"] = "; ".join(f"session-{number}={'x' * 4000}" for number in range(20))

    log_in("in_browser", open_browser=browser, **login_options)

    browser.thread.join()
    assert [page.status_code for page in browser.pages] == [200]


def test_a_redirect_with_minimal_encoding(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """A query may hold `/`, `:` and `?` as they are (RFC 3986 section 3.4)."""
    browser = Browser(server.origin)

    def plain(url: str) -> None:
        browser.asked = dict(parse_qsl(urlsplit(url).query))
        uri, state = browser.asked["redirect_uri"], browser.asked["state"]
        browser.go(f"{uri}?code=4/0Ab?x&state={state}&iss={server.origin}")

    log_in("in_browser", open_browser=plain, **login_options)

    browser.thread.join()
    assert server.seen[0].form["code"] == "4/0Ab?x"


@pytest.mark.parametrize(
    "query",
    [
        "code=stolen&state=forged&iss={iss}",
        "code=stolen&iss={iss}",
        "code=stolen&state={state}&state=forged&iss={iss}",
        "error=access_denied",
        "error=access_denied&state=forged",
        "state={state}&iss={iss}",
        "code=&state={state}&iss={iss}",
        "",
    ],
)
def test_a_redirect_that_is_not_the_answer_is_refused_and_ignored(
    log_in: Callable[..., Any], login_options: Any, server: Loopback, query: str
) -> None:
    """RFC 8252 section 8.9: another state, no state, or no parameters; the login waits for the real answer."""
    browser = Browser(server.origin)

    def disturbed(url: str) -> None:
        asked = dict(parse_qsl(urlsplit(url).query))
        browser.visit(f"{asked['redirect_uri']}?{query.format(state=asked['state'], iss=server.origin)}")
        browser(url)

    log_in("in_browser", open_browser=disturbed, **login_options)

    browser.thread.join()
    assert [page.status_code for page in browser.pages] == [403, 200]
    assert server.seen[0].form["code"] == "c0de"


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
def test_a_redirect_to_another_host_is_refused_and_ignored(
    log_in: Callable[..., Any], login_options: Any, server: Loopback, host: str
) -> None:
    """A page whose name was rebound to this machine cannot end a login, not even with its state."""
    browser = Browser(server.origin)

    def rebound(url: str) -> None:
        asked = dict(parse_qsl(urlsplit(url).query))
        address = f"{asked['redirect_uri']}?code=stolen&state={asked['state']}"
        browser.pages.append(httpx.get(address, headers={"Host": host}, trust_env=False))
        browser(url)

    log_in("in_browser", open_browser=rebound, **login_options)

    browser.thread.join()
    assert [page.status_code for page in browser.pages] == [421, 200]
    assert server.seen[0].form["code"] == "c0de"


def test_requests_that_are_not_http(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """Noise on the port is answered, or not, and the login continues."""
    browser = Browser(server.origin)
    noise = [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /callback\r\n\r\n",
        b"\xff\xfe /callback \x00\r\n\r\n",
        b"\x16\x03\x01",
    ]
    answers: list[bytes] = []

    def disturb(url: str) -> None:
        parts = urlsplit(dict(parse_qsl(urlsplit(url).query))["redirect_uri"])
        for sent in noise:
            with socket.create_connection((str(parts.hostname), parts.port)) as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                answers.append(connection.recv(12))
        browser(url)

    log_in("in_browser", open_browser=disturb, **login_options)

    browser.thread.join()
    assert answers == [*[b"HTTP/1.1 404"] * 3, b"HTTP/1.1 405", b""]


def test_bytes_behind_a_request(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """They belong to another one: they neither spoil the redirect nor add the Host that it lacks."""
    answers: list[bytes] = []

    def send(url: str) -> None:
        asked = dict(parse_qsl(urlsplit(url).query))
        parts = urlsplit(asked["redirect_uri"])
        query = urlencode({"code": "c0de", "state": asked["state"], "iss": server.origin})
        start, host = f"GET /callback?{query} HTTP/1.1\r\n", f"Host: {parts.netloc}\r\n\r\n"
        for sent in (f"{start}\r\n{host}", f"{start}{host}GET /favicon.ico HTTP/1.1\r\n{host}"):
            with socket.create_connection((str(parts.hostname), parts.port)) as connection:
                connection.sendall(sent.encode())
                answers.append(connection.recv(12))

    log_in("in_browser", open_browser=send, **login_options)

    assert answers[0] == b"HTTP/1.1 421"
    assert server.seen[0].form["code"] == "c0de"


def test_silent_connections(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """Browsers open connections ahead, and break them: neither delays the redirect."""
    browser = Browser(server.origin)
    idle: list[socket.socket] = []

    def open_ahead(url: str) -> None:
        parts = urlsplit(dict(parse_qsl(urlsplit(url).query))["redirect_uri"])
        idle.extend(socket.create_connection((str(parts.hostname), parts.port)) for _ in range(3))
        idle[0].sendall(b"GET /call")
        idle[1].close()
        browser(url)

    log_in("in_browser", open_browser=open_ahead, **login_options)

    browser.thread.join()
    for connection in idle:
        connection.close()


def test_a_second_redirect(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """Exactly one request is the answer; later ones change nothing."""
    browser = Browser(server.origin)

    def twice(url: str) -> None:
        browser(url)
        browser.thread.join()
        with suppress(httpx.HTTPError):  # answered, or refused because the port is closed: both are fine
            browser.visit(f"{browser.asked['redirect_uri']}?code=other&state={browser.asked['state']}")

    log_in("in_browser", open_browser=twice, **login_options)

    assert server.seen[0].form["code"] == "c0de"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_connection_that_cannot_be_accepted(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was reset meanwhile, or no file is free: the next one is served."""
    monkeypatch.setattr(loopback, "ACCEPT_PAUSE_S", 0.0)
    failures: list[Exception] = [OSError(errno.EMFILE, "Too many open files"), anyio.BrokenResourceError()]

    class Listener:
        async def accept(self) -> object:
            await anyio.lowlevel.checkpoint()
            if failures:
                raise failures.pop()
            return object()

    class Waiting:
        def __init__(self) -> None:
            self.is_asked = anyio.Event()

        async def answer(self, _: object) -> None:
            self.is_asked.set()

    async def main() -> None:
        waiting: Any = Waiting()
        listener: Any = Listener()
        async with anyio.create_task_group() as connections:
            connections.start_soon(loopback.serve, listener, waiting, connections)
            await waiting.is_asked.wait()
            connections.cancel_scope.cancel()

    anyio.run(main, backend=backend)

    assert failures == []
