"""Logins in the browser over a real connection, in three colours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import anyio.to_thread
import pytest
from tests.client.login_browser import Browser, is_closed
from tests.client.loopback import Loopback
from tests.server.support.ports import free_port

from redcore import ArgumentError, ConfigurationError, login
from redcore.login import LoginTimeoutError


def test_a_login(log_in: Callable[..., Any], login_options: Any, server: Loopback) -> None:
    """The browser comes back to a free port of 127.0.0.1, sees a page, and its code is exchanged for tokens."""
    browser = Browser(server.origin)

    tokens = log_in("in_browser", scope="users:read", open_browser=browser, **login_options)

    browser.thread.join()
    assert (tokens.access_token, tokens.refresh_token, tokens.scope) == ("access-1", "refresh-1", "users:read")
    uri = urlsplit(browser.asked["redirect_uri"])
    assert (uri.scheme, uri.hostname, uri.path) == ("http", "127.0.0.1", "/callback")
    assert server.seen[0].form["redirect_uri"] == browser.asked["redirect_uri"]
    assert server.seen[0].form["code"] == "c0de"
    assert is_closed(browser.asked["redirect_uri"])


def test_a_browser_that_is_no_function(log_in: Callable[..., Any], login_options: Any) -> None:
    """It is refused before a port is opened."""
    with pytest.raises(ArgumentError, match="open_browser must be a function, not str"):
        log_in("in_browser", open_browser="firefox", **login_options)


def test_no_redirect_arrives(log_in: Callable[..., Any], login_options: Any) -> None:
    """After the deadline the login ends with an error that is a TimeoutError, and the port is closed."""
    seen: list[str] = []

    with pytest.raises(LoginTimeoutError, match=r"within 0\.05 s") as caught:
        log_in("in_browser", open_browser=seen.append, **{**login_options, "deadline": 0.05})

    assert isinstance(caught.value, TimeoutError)
    assert is_closed(dict(parse_qsl(urlsplit(seen[0]).query))["redirect_uri"])


def test_a_browser_that_never_returns(
    log_in: Callable[..., Any], login_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline holds while a text browser, or one that BROWSER names, is open, too."""
    leave = threading.Event()
    monkeypatch.setattr("webbrowser.open", lambda _: leave.wait(60.0))

    with pytest.raises(LoginTimeoutError):
        log_in("in_browser", **{**login_options, "deadline": 0.05})

    assert not leave.is_set()
    leave.set()


def test_a_browser_that_is_still_open_when_it_has_answered(
    log_in: Callable[..., Any], login_options: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is exchanged at once: it may have expired when the person closes the browser."""
    leave, browser = threading.Event(), Browser(server.origin)

    def stay(url: str) -> bool:
        browser(url)
        return leave.wait(60.0)

    monkeypatch.setattr("webbrowser.open", stay)

    assert log_in("in_browser", **login_options).access_token == "access-1"

    assert not leave.is_set()
    leave.set()
    browser.thread.join()


def test_an_invalid_variable_of_the_browser(
    log_in: Callable[..., Any], login_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quote is missing, for example."""
    monkeypatch.setattr("webbrowser._tryorder", ["'firefox %s"])

    with pytest.raises(ConfigurationError, match="BROWSER"):
        log_in("in_browser", **login_options)


@pytest.mark.parametrize("error", [RuntimeError("no display"), KeyboardInterrupt()], ids=repr)
def test_a_browser_that_breaks(login_options: Any, error: BaseException) -> None:
    """The opener's exception is raised, and the port is closed."""
    seen: list[str] = []

    def fail(url: str) -> None:
        seen.append(url)
        raise error

    with pytest.raises(type(error)):
        login.in_browser(open_browser=fail, **login_options)

    assert is_closed(dict(parse_qsl(urlsplit(seen[0]).query))["redirect_uri"])


def test_no_browser(log_in: Callable[..., Any], login_options: Any) -> None:
    """Where no browser can be opened, the error says what to do instead."""
    with pytest.raises(ConfigurationError, match="on_device"):
        log_in("in_browser", open_browser=lambda _: False, **login_options)


def test_a_browser_that_is_awaited(log_in: Callable[..., Any], login_options: Any) -> None:
    """A coroutine function as `open_browser` opens nothing: it is refused, rather than waited for in vain."""

    async def browser(_: str) -> None: ...

    with pytest.raises(ConfigurationError, match="coroutine"):
        log_in("in_browser", open_browser=browser, **login_options)


@pytest.mark.parametrize("name", ["in_browser", "on_device"])
def test_an_option_that_does_not_exist(log_in: Callable[..., Any], login_options: Any, name: str) -> None:
    """A misspelt secret would be missing at the end of the login."""
    shown: dict[str, Any] = {"open_browser": print} if name == "in_browser" else {"prompt": print}

    with pytest.raises(TypeError, match=r"there is no option 'client_secert'; there are .*client_secret"):
        log_in(name, **shown, **login_options, client_secert="s")


def test_the_default_browser(
    log_in: Callable[..., Any], login_options: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an opener the system's browser is used."""
    browser = Browser(server.origin)
    monkeypatch.setattr("webbrowser.open", browser)

    assert log_in("in_browser", **login_options).access_token == "access-1"
    browser.thread.join()


def has_ipv6() -> bool:
    """Return whether this machine has the loopback address of IPv6, which containers often lack."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


WITH_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("[::1]", marks=WITH_IPV6)])
def test_a_fixed_port(log_in: Callable[..., Any], login_options: Any, server: Loopback, host: str) -> None:
    """A port in the redirect URI is used, on IPv6 too; the path may be any."""
    uri = f"http://{host}:{free_port()}/a/b"
    browser = Browser(server.origin)

    log_in("in_browser", open_browser=browser, redirect_uri=uri, **login_options)

    browser.thread.join()
    assert browser.asked["redirect_uri"] == uri


def test_a_port_that_is_taken(log_in: Callable[..., Any], login_options: Any) -> None:
    """The error names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/callback"
        with pytest.raises(ArgumentError, match=uri):
            log_in("in_browser", open_browser=print, redirect_uri=uri, **login_options)


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/callback",
        "http://localhost/callback",
        "http://192.0.2.1/callback",
        "http://0.0.0.0/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:x/callback",
        "http://127.0.0.1/callback?a=1",
        "http://a:b@127.0.0.1/callback",
        "com.example:/callback",
        "",
        5,
    ],
)
def test_an_address_that_is_not_loopback(login_options: Any, uri: Any) -> None:
    """Only a loopback address is listened on; a name such as localhost may resolve elsewhere."""
    with pytest.raises(ArgumentError, match="redirect_uri"):
        login.in_browser(open_browser=print, redirect_uri=uri, **login_options)


@pytest.mark.parametrize("path", ["c b", "ü", "../b", "%2e%2e/b", "a/./b"])
def test_a_path_that_browsers_normalise_is_refused(login_options: Any, path: str) -> None:
    """They would redirect to another one, and the login would wait for its deadline."""
    with pytest.raises(ArgumentError, match="the path of redirect_uri must be as browsers send it"):
        login.in_browser(open_browser=print, redirect_uri=f"http://127.0.0.1/{path}", **login_options)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), "5"])
def test_an_invalid_deadline(log_in: Callable[..., Any], login_options: Any, deadline: Any) -> None:
    """A deadline is a number above 0."""
    with pytest.raises(ConfigurationError, match="deadline"):
        log_in("in_browser", open_browser=print, **{**login_options, "deadline": deadline})


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_login_is_cancelled(server: Loopback, backend: str) -> None:
    """A cancelled login leaves no listener, even while a browser blocks its thread."""
    opened: list[str] = []
    opening, leave = threading.Event(), threading.Event()

    def lynx(url: str) -> None:
        opened.append(url)
        opening.set()
        leave.wait(60.0)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(
                partial(login.in_browser_async, open_browser=lynx, base_url=server.base_url, client_id="app_1")
            )
            await anyio.to_thread.run_sync(opening.wait, 60.0)
            group.cancel_scope.cancel()
        leave.set()

    anyio.run(main, backend=backend)

    assert is_closed(dict(parse_qsl(urlsplit(opened[0]).query))["redirect_uri"])
