"""Logins on another device over a real connection, in three colours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from tests.client.colours import Awaiting
from tests.client.loopback import Loopback, pair, reply

from redcore import AuthenticationError, Client, login
from redcore.login import LoginTimeoutError
from redcore.testing import FakeBlueRound, FakeTime

PENDING = reply({"error": "authorization_pending"}, 400)
CODES = {
    "device_code": "device-code-of-256-bits",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://a/device",
    "expires_in": 900,
    "interval": 5,
}


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
