"""The device flow (RFC 8628), on a clock that advances only by waiting."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.world import START, Answer, World, answer, form, refusal, tokens

from redcore import ArgumentError, AuthenticationError, ConfigurationError, NetworkError, RedcoreAPIError, TokenSet
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore.login import DeviceAuthorization, LoginTimeoutError
from redcore.login.device import device_login

APP = Credentials(client_id="app_1", personal=True)
PENDING = answer(400, {"error": "authorization_pending"})
SLOW_DOWN = answer(400, {"error": "slow_down"})
DEVICE = DeviceAuthorization(
    device_code="device-code-of-256-bits",
    user_code="WDJB-MJHT",
    verification_uri="https://a/device",
    verification_uri_complete="https://a/device?user_code=WDJB-MJHT",
    expires_in=900,
    interval=5,
)


def codes(**changes: Any) -> Answer:
    return answer(200, {**DEVICE, **changes})


class Login:
    """One login; `shown` and `progress` are the arguments of the callbacks."""

    def __init__(self, *script: Answer) -> None:
        self.world = World(*script, credentials=APP)
        self.shown: list[DeviceAuthorization] = []
        self.progress: list[int] = []

    def run(self, scope: str | None = None, deadline: float | None = None) -> TokenSet:
        login = device_login(self.shown.append, lambda d: self.progress.append(d.expires_in), scope, deadline)
        return self.world.run(login(self.world.engine, CallOptions()))

    def refused(self, **options: Any) -> AuthenticationError:
        with pytest.raises(AuthenticationError) as caught:
            self.run(**options)
        return caught.value

    @property
    def forms(self) -> list[dict[str, str]]:
        return [form(request) for request in self.world.requests]


def test_a_login() -> None:
    """The user is shown the codes, then the server is polled at its interval until it has the tokens."""
    login = Login(codes(), PENDING, PENDING, tokens())

    pair = login.run(scope="users:read")

    assert login.shown == [DEVICE]
    assert login.world.slept == [5.0, 5.0, 5.0]
    assert login.progress == [895, 890]
    assert login.world.paths == ["/oauth/device_authorization", *["/oauth/token"] * 3]
    assert login.forms[:2] == [
        {"scope": "users:read", "client_id": "app_1"},
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": "device-code-of-256-bits",
            "client_id": "app_1",
        },
    ]
    assert pair.expires_at == START + 15 + 3600


def test_slow_down() -> None:
    """RFC 8628 section 3.5: five seconds more, for this and all later polls."""
    login = Login(codes(), SLOW_DOWN, PENDING, SLOW_DOWN, tokens())

    login.run()

    assert login.world.slept == [5.0, 10.0, 10.0, 15.0]


def test_a_connection_that_breaks() -> None:
    """RFC 8628 section 3.5: the interval doubles, and the login continues."""
    login = Login(codes(), NetworkError("reset"), NetworkError("reset"), PENDING, tokens())

    login.run()

    assert login.world.slept == [5.0, 10.0, 20.0, 20.0]


def test_a_server_that_fails_for_a_while() -> None:
    """A 503 or 429 costs one poll; its Retry-After is honoured."""
    login = Login(codes(), refusal(503), refusal(429, "A", retry_after="30"), PENDING, tokens())

    login.run()

    assert login.world.slept == [5.0, 5.0, 30.0, 30.0]


def test_a_missing_interval() -> None:
    """A server that sends no interval is still not flooded."""
    login = Login(codes(interval=0), PENDING, tokens())

    login.run()

    assert login.world.slept == [1.0, 1.0]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_client", "invalid_grant"])
def test_a_refusal(code: str) -> None:
    """A final refusal is raised, with its code, without the device code."""
    body = {"error": code, "error_description": f"no {DEVICE.device_code}"}
    login = Login(codes(), PENDING, answer(400, body))

    error = login.refused()

    assert (error.code, error.message) == (code, "no [secret]")


def test_the_code_expires() -> None:
    """A code that will have expired is not polled for; the error is the server's."""
    login = Login(codes(expires_in=12), PENDING, PENDING)

    error = login.refused()

    assert (error.code, login.world.slept) == ("expired_token", [5.0, 5.0])


def test_an_interval_that_no_float_can_hold() -> None:
    """The code expires before the first poll; nothing raises an OverflowError."""
    login = Login(codes(interval=10**400, expires_in=10**399))

    assert login.refused().code == "expired_token"
    assert login.world.slept == []


def test_the_deadline() -> None:
    """No wait is started that would end after it; the error is a TimeoutError too."""
    login = Login(codes(), PENDING)

    with pytest.raises(LoginTimeoutError, match="the login was not completed within 9 s") as caught:
        login.run(deadline=9.0)

    assert isinstance(caught.value, TimeoutError)
    assert login.world.slept == [5.0]


@pytest.mark.parametrize("deadline", [0.0, -1.0, float("nan")])
def test_an_invalid_deadline(deadline: float) -> None:
    """A deadline is above 0; otherwise nothing is sent."""
    with pytest.raises(ConfigurationError, match="deadline"):
        Login().run(deadline=deadline)


@pytest.mark.parametrize("name", ["prompt", "on_progress"])
def test_a_callback_that_is_no_function(name: str) -> None:
    """It is refused before a code is asked for."""
    callbacks: Any = {"prompt": print, "on_progress": None, name: "print"}

    with pytest.raises(ArgumentError, match=f"{name} must be a function, not str"):
        device_login(**callbacks, scope=None, deadline=None)


def test_without_progress() -> None:
    """The second callback is optional."""
    world = World(codes(), PENDING, tokens(), credentials=APP)

    pair = world.run(device_login(lambda _: None, None, None, None)(world.engine, CallOptions()))

    assert pair.access_token == "access-2"


def test_a_server_without_the_device_flow() -> None:
    """The first request fails like any call, and nothing is shown."""
    login = Login(*[refusal(501, "NOT_IMPLEMENTED")] * 3)

    with pytest.raises(RedcoreAPIError) as caught:
        login.run()

    assert (caught.value.status_code, login.shown) == (501, [])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the application's own")], ids=repr)
def test_an_interruption(error: BaseException) -> None:
    """Ctrl-C while waiting, or an error of a callback, ends the login."""
    login = Login(codes())

    def prompt(_: DeviceAuthorization) -> None:
        raise error

    with pytest.raises(type(error)):
        login.world.run(device_login(prompt, None, None, None)(login.world.engine, CallOptions()))


def test_the_codes_hide_the_secret_one() -> None:
    """The repr shows the user's codes and hides the device code."""
    assert "WDJB-MJHT" in repr(DEVICE)
    assert DEVICE.device_code not in repr(DEVICE)
