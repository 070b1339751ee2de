"""Logins over a real connection, in three colours."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from tests.client.colours import Awaiting, Colour
from tests.client.loopback import Loopback, Reply, Seen, pair, reply, user

from redcore import (
    ArgumentError,
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    MemoryCache,
    TokenSet,
    login,
)
from redcore._resources.auth import AsyncAuth, Auth
from redcore.login import LoginTimeoutError, loopback
from redcore.testing import FakeBlueRound, FakeTime

PENDING = reply({"error": "authorization_pending"}, 400)
CODES = {
    "device_code": "device-code-of-256-bits",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://a/device",
    "expires_in": 900,
    "interval": 5,
}
XML = "<Assertion/>"


@pytest.fixture
def log_in(call: Colour) -> Callable[..., Any]:
    """Call a function of redcore.login in a colour."""

    def function(name: str, *args: Any, **options: Any) -> Any:
        return call(getattr(login, name if call.name == "sync" else f"{name}_async"), *args, **options)

    return function


@pytest.fixture
def kind(call: Colour) -> Any:
    """The client class of the colour."""
    return Client if call.name == "sync" else AsyncClient


class Browser:
    """Follows the address it is given as a consenting user would; `changes` alter the redirect."""

    def __init__(self, origin: str, **changes: str | None) -> None:
        self.origin = origin
        self.changes = changes
        self.asked: dict[str, str] = {}
        self.pages: list[httpx.Response] = []
        self.headers: dict[str, str] = {}
        self.thread = threading.Thread()

    def __call__(self, url: str) -> None:
        self.asked = dict(parse_qsl(urlsplit(url).query))
        redirect = {"code": "c0de", "state": self.asked["state"], "iss": self.origin, **self.changes}
        query = urlencode({name: value for name, value in redirect.items() if value is not None})
        self.go(f"{self.asked['redirect_uri']}?{query}")

    def go(self, *addresses: str) -> None:
        """Visit addresses, later and in order."""
        self.thread = threading.Thread(target=self.visit, args=addresses)
        self.thread.start()

    def visit(self, *addresses: str) -> None:
        for address in addresses:
            self.pages.append(httpx.get(address, headers=self.headers, trust_env=False))


def is_closed(uri: str) -> bool:
    """Return whether an address refuses connections."""
    parts = urlsplit(uri)
    with socket.socket(socket.AF_INET6 if ":" in str(parts.hostname) else socket.AF_INET) as probe:
        return probe.connect_ex((str(parts.hostname), parts.port)) != 0


class TestInBrowser:
    @pytest.fixture
    def options(self, server: Loopback) -> dict[str, Any]:
        server.script(pair(1, scope="users:read"))
        return {"base_url": server.base_url, "client_id": "app_1", "deadline": 10.0}

    def test_a_login(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """The browser comes back to a free port of 127.0.0.1, sees a page, and its code is exchanged for tokens."""
        browser = Browser(server.origin)

        tokens = log_in("in_browser", scope="users:read", open_browser=browser, **options)

        browser.thread.join()
        assert (tokens.access_token, tokens.refresh_token, tokens.scope) == ("access-1", "refresh-1", "users:read")
        uri = urlsplit(browser.asked["redirect_uri"])
        assert (uri.scheme, uri.hostname, uri.path) == ("http", "127.0.0.1", "/callback")
        assert server.seen[0].form["redirect_uri"] == browser.asked["redirect_uri"]
        assert server.seen[0].form["code"] == "c0de"
        assert is_closed(browser.asked["redirect_uri"])

    def test_the_page(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """The user sees a small page that loads nothing and is not cached."""
        browser = Browser(server.origin)

        log_in("in_browser", open_browser=browser, **options)

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
        self,
        log_in: Callable[..., Any],
        options: Any,
        server: Loopback,
        changes: Mapping[str, str | None],
        code: str,
        status: int,
    ) -> None:
        """An answer with an error, or from another server, ends the login; no code is exchanged."""
        browser = Browser(server.origin, **changes)

        with pytest.raises(AuthenticationError) as caught:
            log_in("in_browser", open_browser=browser, **options)

        browser.thread.join()
        assert (caught.value.code, server.seen) == (code, [])
        assert [page.status_code for page in browser.pages] == [status]
        assert is_closed(browser.asked["redirect_uri"])

    def test_a_browser_that_is_no_function(self, log_in: Callable[..., Any], options: Any) -> None:
        """It is refused before a port is opened."""
        with pytest.raises(ArgumentError, match="open_browser must be a function, not str"):
            log_in("in_browser", open_browser="firefox", **options)

    def test_other_requests(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """Another path is answered 404, another method 405, and the login continues."""
        browser = Browser(server.origin)

        def wander(url: str) -> None:
            query = dict(parse_qsl(urlsplit(url).query))
            uri = query["redirect_uri"]
            origin = uri.removesuffix("/callback")
            browser.pages.append(httpx.post(uri, trust_env=False))
            browser.visit(f"{origin}/favicon.ico", f"{origin}/callback/x?code=1", f"{origin}/{'x' * 20_000}")
            browser(url)

        log_in("in_browser", open_browser=wander, **options)

        browser.thread.join()
        assert [page.status_code for page in browser.pages] == [405, 404, 404, 404, 200]
        assert browser.pages[0].headers["allow"] == "GET"

    def test_a_redirect_with_all_cookies_of_the_machine(
        self, log_in: Callable[..., Any], options: Any, server: Loopback
    ) -> None:
        """Browsers send those that servers on other ports have set; Node.js refuses 16 KiB of them."""
        browser = Browser(server.origin)
        browser.headers["Cookie"] = "; ".join(f"session-{number}={'x' * 4000}" for number in range(20))

        log_in("in_browser", open_browser=browser, **options)

        browser.thread.join()
        assert [page.status_code for page in browser.pages] == [200]

    def test_a_redirect_with_minimal_encoding(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """A query may hold `/`, `:` and `?` as they are (RFC 3986 section 3.4)."""
        browser = Browser(server.origin)

        def plain(url: str) -> None:
            browser.asked = dict(parse_qsl(urlsplit(url).query))
            uri, state = browser.asked["redirect_uri"], browser.asked["state"]
            browser.go(f"{uri}?code=4/0Ab?x&state={state}&iss={server.origin}")

        log_in("in_browser", open_browser=plain, **options)

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
        self, log_in: Callable[..., Any], options: Any, server: Loopback, query: str
    ) -> None:
        """RFC 8252 section 8.9: another state, no state, or no parameters; the login waits for the real answer."""
        browser = Browser(server.origin)

        def disturbed(url: str) -> None:
            asked = dict(parse_qsl(urlsplit(url).query))
            browser.visit(f"{asked['redirect_uri']}?{query.format(state=asked['state'], iss=server.origin)}")
            browser(url)

        log_in("in_browser", open_browser=disturbed, **options)

        browser.thread.join()
        assert [page.status_code for page in browser.pages] == [403, 200]
        assert server.seen[0].form["code"] == "c0de"

    @pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
    def test_a_redirect_to_another_host_is_refused_and_ignored(
        self, log_in: Callable[..., Any], options: Any, server: Loopback, host: str
    ) -> None:
        """A page whose name was rebound to this machine cannot end a login, not even with its state."""
        browser = Browser(server.origin)

        def rebound(url: str) -> None:
            asked = dict(parse_qsl(urlsplit(url).query))
            address = f"{asked['redirect_uri']}?code=stolen&state={asked['state']}"
            browser.pages.append(httpx.get(address, headers={"Host": host}, trust_env=False))
            browser(url)

        log_in("in_browser", open_browser=rebound, **options)

        browser.thread.join()
        assert [page.status_code for page in browser.pages] == [421, 200]
        assert server.seen[0].form["code"] == "c0de"

    def test_requests_that_are_not_http(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
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

        log_in("in_browser", open_browser=disturb, **options)

        browser.thread.join()
        assert answers == [*[b"HTTP/1.1 404"] * 3, b"HTTP/1.1 405", b""]

    def test_bytes_behind_a_request(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
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

        log_in("in_browser", open_browser=send, **options)

        assert answers[0] == b"HTTP/1.1 421"
        assert server.seen[0].form["code"] == "c0de"

    def test_silent_connections(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """Browsers open connections ahead, and break them: neither delays the redirect."""
        browser = Browser(server.origin)
        idle: list[socket.socket] = []

        def open_ahead(url: str) -> None:
            parts = urlsplit(dict(parse_qsl(urlsplit(url).query))["redirect_uri"])
            idle.extend(socket.create_connection((str(parts.hostname), parts.port)) for _ in range(3))
            idle[0].sendall(b"GET /call")
            idle[1].close()
            browser(url)

        log_in("in_browser", open_browser=open_ahead, **options)

        browser.thread.join()
        for connection in idle:
            connection.close()

    def test_a_second_redirect(self, log_in: Callable[..., Any], options: Any, server: Loopback) -> None:
        """Exactly one request is the answer; later ones change nothing."""
        browser = Browser(server.origin)

        def twice(url: str) -> None:
            browser(url)
            browser.thread.join()
            with suppress(httpx.HTTPError):  # answered, or refused because the port is closed: both are fine
                browser.visit(f"{browser.asked['redirect_uri']}?code=other&state={browser.asked['state']}")

        log_in("in_browser", open_browser=twice, **options)

        assert server.seen[0].form["code"] == "c0de"

    def test_no_redirect_arrives(self, log_in: Callable[..., Any], options: Any) -> None:
        """After the deadline the login ends with an error that is a TimeoutError, and the port is closed."""
        seen: list[str] = []

        with pytest.raises(LoginTimeoutError, match=r"within 0\.05 s") as caught:
            log_in("in_browser", open_browser=seen.append, **{**options, "deadline": 0.05})

        assert isinstance(caught.value, TimeoutError)
        assert is_closed(dict(parse_qsl(urlsplit(seen[0]).query))["redirect_uri"])

    def test_a_browser_that_never_returns(
        self, log_in: Callable[..., Any], options: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The deadline holds while a text browser, or one that BROWSER names, is open, too."""
        leave = threading.Event()
        monkeypatch.setattr("webbrowser.open", lambda _: leave.wait(60.0))

        with pytest.raises(LoginTimeoutError):
            log_in("in_browser", **{**options, "deadline": 0.05})

        assert not leave.is_set()
        leave.set()

    def test_a_browser_that_is_still_open_when_it_has_answered(
        self, log_in: Callable[..., Any], options: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The code is exchanged at once: it may have expired when the person closes the browser."""
        leave, browser = threading.Event(), Browser(server.origin)

        def stay(url: str) -> bool:
            browser(url)
            return leave.wait(60.0)

        monkeypatch.setattr("webbrowser.open", stay)

        assert log_in("in_browser", **options).access_token == "access-1"

        assert not leave.is_set()
        leave.set()
        browser.thread.join()

    def test_an_invalid_variable_of_the_browser(
        self, log_in: Callable[..., Any], options: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A quote is missing, for example."""
        monkeypatch.setattr("webbrowser._tryorder", ["'firefox %s"])

        with pytest.raises(ConfigurationError, match="BROWSER"):
            log_in("in_browser", **options)

    @pytest.mark.parametrize("error", [RuntimeError("no display"), KeyboardInterrupt()], ids=repr)
    def test_a_browser_that_breaks(self, options: Any, error: BaseException) -> None:
        """The opener's exception is raised, and the port is closed."""
        seen: list[str] = []

        def fail(url: str) -> None:
            seen.append(url)
            raise error

        with pytest.raises(type(error)):
            login.in_browser(open_browser=fail, **options)

        assert is_closed(dict(parse_qsl(urlsplit(seen[0]).query))["redirect_uri"])

    def test_no_browser(self, log_in: Callable[..., Any], options: Any) -> None:
        """Where no browser can be opened, the error says what to do instead."""
        with pytest.raises(ConfigurationError, match="on_device"):
            log_in("in_browser", open_browser=lambda _: False, **options)

    def test_the_default_browser(
        self, log_in: Callable[..., Any], options: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without an opener the system's browser is used."""
        browser = Browser(server.origin)
        monkeypatch.setattr("webbrowser.open", browser)

        assert log_in("in_browser", **options).access_token == "access-1"
        browser.thread.join()

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
    def test_a_fixed_port(self, log_in: Callable[..., Any], options: Any, server: Loopback, host: str) -> None:
        """A port in the redirect URI is used, on IPv6 too; the path may be any."""
        family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((host.strip("[]"), 0))
            uri = f"http://{host}:{probe.getsockname()[1]}/a/b"
        browser = Browser(server.origin)

        log_in("in_browser", open_browser=browser, redirect_uri=uri, **options)

        browser.thread.join()
        assert browser.asked["redirect_uri"] == uri

    def test_a_port_that_is_taken(self, log_in: Callable[..., Any], options: Any) -> None:
        """The error names the address."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            uri = f"http://127.0.0.1:{taken.getsockname()[1]}/callback"
            with pytest.raises(ArgumentError, match=uri):
                log_in("in_browser", open_browser=print, redirect_uri=uri, **options)

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
        ],
    )
    def test_an_address_that_is_not_loopback(self, options: Any, uri: str) -> None:
        """Only a loopback address is listened on; a name such as localhost may resolve elsewhere."""
        with pytest.raises(ArgumentError, match="redirect_uri"):
            login.in_browser(open_browser=print, redirect_uri=uri, **options)

    @pytest.mark.parametrize("path", ["c b", "ü", "../b", "%2e%2e/b", "a/./b"])
    def test_a_path_that_browsers_normalise_is_refused(self, options: Any, path: str) -> None:
        """They would redirect to another one, and the login would wait for its deadline."""
        with pytest.raises(ArgumentError, match="the path of redirect_uri must be as browsers send it"):
            login.in_browser(open_browser=print, redirect_uri=f"http://127.0.0.1/{path}", **options)

    @pytest.mark.parametrize("deadline", [0, -1, float("nan"), "5"])
    def test_an_invalid_deadline(self, log_in: Callable[..., Any], options: Any, deadline: Any) -> None:
        """A deadline is a number above 0."""
        with pytest.raises(ConfigurationError, match="deadline"):
            log_in("in_browser", open_browser=print, **{**options, "deadline": deadline})


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


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_login_is_cancelled(server: Loopback, backend: str) -> None:
    """A cancelled login leaves no listener, even while a browser blocks its thread."""
    opened: list[str] = []
    opening, leave = threading.Event(), threading.Event()

    def lynx(url: str) -> None:
        opened.append(url)
        opening.set()
        leave.wait(5.0)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(
                partial(login.in_browser_async, open_browser=lynx, base_url=server.base_url, client_id="app_1")
            )
            await anyio.to_thread.run_sync(opening.wait, 5.0)
            group.cancel_scope.cancel()
        leave.set()

    anyio.run(main, backend=backend)

    assert is_closed(dict(parse_qsl(urlsplit(opened[0]).query))["redirect_uri"])


class TestExchangeCode:
    def test_a_web_application(self, log_in: Callable[..., Any], server: Loopback) -> None:
        """The request is stored, restored with the redirect, and exchanged for tokens; the secret authenticates."""
        begun = login.authorization_request(
            client_id="app_1", redirect_uri="https://app.example/back", base_url=server.base_url
        )
        stored: Any = begun.as_dict()
        server.script(pair(1))

        tokens = log_in(
            "exchange_code",
            login.AuthorizationRequest(**stored),
            {"code": "c0de", "state": begun.state, "iss": server.origin},
            client_secret="s3cret",
        )

        assert tokens.refresh_token == "refresh-1"
        assert server.seen[0].headers["authorization"].startswith("Basic ")
        assert server.seen[0].form["code_verifier"] == begun.code_verifier

    def test_a_given_http_client(self, call: Colour, log_in: Callable[..., Any], server: Loopback) -> None:
        """It is used for the exchange, and stays open."""
        begun = login.authorization_request(client_id="a", redirect_uri="https://a", base_url=server.base_url)
        http: Any = httpx.Client() if call.name == "sync" else httpx.AsyncClient()
        server.script(pair(1))

        log_in("exchange_code", begun, f"?code=c&state={begun.state}&iss={server.origin}", http_client=http)

        assert not http.is_closed
        call(http.close if call.name == "sync" else http.aclose)


class TestOnDevice:
    @pytest.fixture(autouse=True)
    def slept(self) -> Iterator[list[float]]:
        """Waits end at once, and are recorded."""
        with FakeTime(start=time.time()) as fake_time:
            yield fake_time.slept

    def test_a_device_login(self, log_in: Callable[..., Any], server: Loopback, slept: list[float]) -> None:
        """The user is shown the code; what the callbacks return does not matter."""
        shown: list[Any] = []

        def prompt(device: login.DeviceAuthorization) -> bool:
            shown.append(device.user_code)
            return True

        server.script(reply(CODES), PENDING, pair(1))
        tokens = log_in(
            "on_device",
            prompt=prompt,
            on_progress=lambda device: shown.append(device.expires_in),
            base_url=server.base_url,
            client_id="app_1",
        )

        assert (tokens.access_token, shown[0], slept) == ("access-1", "WDJB-MJHT", [5.0, 5.0])
        assert len(shown) == 2
        assert 865 < shown[1] <= 895  # without the time of the call itself
        assert [seen.path for seen in server.seen] == ["/oauth/device_authorization", *["/oauth/token"] * 2]

    def test_the_deadline_of_a_device_login(self, log_in: Callable[..., Any], server: Loopback) -> None:
        """It holds in every colour."""
        server.script(reply(CODES))

        with pytest.raises(LoginTimeoutError):
            log_in("on_device", prompt=print, deadline=4.0, base_url=server.base_url, client_id="app_1")

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_an_async_prompt(self, portals: Any, server: Loopback, backend: str) -> None:
        """Coroutine functions are awaited."""
        shown: list[str] = []

        async def prompt(device: login.DeviceAuthorization) -> None:
            await anyio.lowlevel.checkpoint()
            shown.append(device.user_code)

        server.script(reply(CODES), pair(1))
        Awaiting(backend, portals[backend])(
            login.on_device_async, prompt=prompt, base_url=server.base_url, client_id="app_1"
        )

        assert shown == ["WDJB-MJHT"]


@pytest.mark.parametrize("backend", ["threads", "asyncio", "trio"])
def test_device_logins_side_by_side(backend: str, slept: list[float]) -> None:
    """Each has a code of its own, and gets the tokens, or the refusal, of the user who entered that code."""
    got: dict[str, str] = {}

    with FakeBlueRound() as fake:
        fake.client().users.create(email="eve@example.com", name="Eve", role="viewer")
        fake.accept_invitation("eve@example.com")
        application: Any = fake.application
        codes: list[str] = []

        def person(email: str, decision: Any) -> Callable[[login.DeviceAuthorization], None]:
            def decide(device: login.DeviceAuthorization) -> None:
                codes.append(device.user_code)
                fake.decide_device(device.user_code, email, decision=decision)

            return decide

        async def log_in(email: str, decision: Any) -> None:
            prompt = person(email, decision)
            try:
                if backend == "threads":
                    one = partial(login.on_device, prompt=prompt, **application)
                    tokens = await anyio.to_thread.run_sync(one)
                else:
                    tokens = await login.on_device_async(prompt=prompt, **application)
            except AuthenticationError as error:
                got[email] = error.code
                return
            with Client.from_tokens(tokens, **fake.application) as client:
                got[email] = client.users.get_me().email

        async def main() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(log_in, "admin@example.com", "allow")
                group.start_soon(log_in, "eve@example.com", "allow")
                group.start_soon(log_in, "ADMIN@example.com", "deny")

        anyio.run(main, backend="asyncio" if backend == "threads" else backend)

    assert got == {
        "admin@example.com": "admin@example.com",
        "eve@example.com": "eve@example.com",
        "ADMIN@example.com": "access_denied",
    }
    assert len(set(codes)) == 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_device_login_is_cancelled(server: Loopback, backend: str) -> None:
    """Cancelling while waiting ends the login at once, with its connections."""
    server.script(reply(CODES))

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def prompt(_: login.DeviceAuthorization) -> None:
                group.cancel_scope.cancel()

            group.start_soon(partial(login.on_device_async, prompt=prompt, base_url=server.base_url, client_id="app_1"))

    anyio.run(main, backend=backend)

    assert len(server.seen) == 1


class TestClients:
    def test_from_tokens(self, call: Colour, kind: Any, server: Loopback) -> None:
        """Tokens of any login make a client."""
        server.script(user())
        client = kind.from_tokens(TokenSet(access_token="access-1"), client_id="app_1", base_url=server.base_url)

        assert call(client.users.get, "usr_1").email == "ada@example.com"
        assert server.seen[0].headers["authorization"] == "Bearer access-1"
        call.close(client)

    def test_from_tokens_that_were_not_restored(self, kind: Any) -> None:
        """The error says how a stored dict becomes tokens again."""
        with pytest.raises(ConfigurationError, match=r"restore stored ones: TokenSet\(\*\*stored\)"):
            kind.from_tokens({"access_token": "access-1"}, client_id="app_1")

    @pytest.mark.parametrize("assertion", [XML, XML.encode()])
    def test_from_saml_assertion(self, call: Colour, kind: Any, server: Loopback, assertion: str | bytes) -> None:
        """The client is logged in when it is made, and its first pair is reported and cached."""
        pairs: list[dict[str, Any]] = []
        cache = MemoryCache()
        server.script(pair(1), user())

        client = call(
            kind.from_saml_assertion,
            assertion=assertion,
            client_id="app_1",
            base_url=server.base_url,
            token_cache=cache,
            on_token_refreshed=pairs.append,
        )

        assert call(client.users.get, "usr_1").id == "usr_1"
        assert server.seen[0].form["assertion"] == "PEFzc2VydGlvbi8-"
        assert [tokens["refresh_token"] for tokens in pairs] == ["refresh-1"]
        assert repr(cache) == "MemoryCache(1 entries)"
        call.close(client)

    def test_an_assertion_that_is_refused(self, call: Colour, kind: Any, server: Loopback) -> None:
        """The error is that of the token endpoint; a given HTTP client stays open."""
        server.script(reply({"error": "invalid_grant"}, 400))
        http: Any = httpx.Client() if call.name == "sync" else httpx.AsyncClient()

        with pytest.raises(AuthenticationError) as caught:
            call(
                kind.from_saml_assertion,
                assertion=XML,
                client_id="app_1",
                client_secret="s",
                base_url=server.base_url,
                http_client=http,
            )

        assert (caught.value.code, http.is_closed) == ("invalid_grant", False)
        call(http.close if call.name == "sync" else http.aclose)

    def test_log_out_ends_the_session(self, call: Colour, make: Any, server: Loopback) -> None:
        """The client's own token is revoked, and clients beside it learn of it."""
        cache = MemoryCache()
        session = {"client_id": "app_1", "access_token": "access-1", "refresh_token": "refresh-1", "token_cache": cache}
        client, sibling = make(**session), make(**session)
        server.script(Reply(200))

        assert call(client.auth.log_out) is None

        assert server.seen[0].form == {"token": "refresh-1", "client_id": "app_1"}
        assert repr(cache) == "MemoryCache(0 entries)"
        for ended in (client, sibling):
            with pytest.raises(AuthenticationError, match="log in again"):
                call(ended.users.get, "usr_1")

    def test_revoke_any_token(self, call: Colour, make: Any, server: Loopback) -> None:
        """With a token argument that one is revoked, and the session continues."""
        client = make(client_id="app_1", access_token="access-1")
        server.script(Reply(200), user())

        call(client.auth.revoke, token="other", token_type_hint="access_token")
        call(client.users.get, "usr_1")

        assert server.seen[0].form == {"token": "other", "token_type_hint": "access_token", "client_id": "app_1"}

    def test_introspect(self, call: Colour, make: Any, server: Loopback) -> None:
        """Introspection needs the application's secret."""
        server.script(reply({"active": True, "scope": "users:read"}))

        assert call(make(client_id="a", client_secret="s").auth.introspect, token="t").scope == "users:read"

    def test_a_public_client_refreshes(self, call: Colour, kind: Any, server: Loopback) -> None:
        """Without a secret the client id alone identifies the application."""

        def answer(seen: Seen) -> Reply:
            return pair(2) if seen.path == "/oauth/token" else user()

        server.answer = answer
        tokens = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=0.0)
        client = kind.from_tokens(tokens, client_id="app_1", base_url=server.base_url)

        call(client.users.get, "usr_1")

        assert server.asked("/oauth/token")[0].form["client_id"] == "app_1"
        call.close(client)


def test_the_docstrings_of_both_colours() -> None:
    """`client.auth.log_out` is documented alike, except for the word `await`."""
    assert (AsyncAuth.log_out.__doc__ or "").replace("await client.", "client.") == Auth.log_out.__doc__
