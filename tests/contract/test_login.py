"""People log in at a real server with the SDK, in three colours, and log out again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.client.colours import Awaiting, Blocking, Colour
from tests.contract.people import (
    FakeVisitor,
    Person,
    Visitor,
    new_application,
    new_person,
    new_person_of_fake,
    parameters,
)
from tests.server.support.identity_provider import Statement, identity_provider, serialized

from redcore import AsyncClient, AuthenticationError, Client, TokenSet, login
from redcore.testing import FakeBlueRound, FakeTime

LOOPBACK = "http://127.0.0.1/callback"
BACK = "https://shop.example.com/back?shop=1"


@attrs.frozen
class Side:
    """The application's side of a login, in one colour."""

    call: Colour
    made: list[Any] = attrs.field(factory=list)

    @property
    def kind(self) -> Any:
        """The class of clients."""
        return Client if self.call.name == "sync" else AsyncClient

    def resume(self, tokens: TokenSet, **options: Any) -> Any:
        """Make a client for the person; it is closed after the test."""
        self.made.append(self.kind.from_tokens(tokens, **options))
        return self.made[-1]

    def close(self) -> None:
        """Close all clients."""
        for client in self.made:
            self.call.close(client)

    def log_in(self, name: str, *args: Any, **options: Any) -> TokenSet:
        """Call a function of redcore.login."""
        function = getattr(login, name if self.call.name == "sync" else f"{name}_async")
        tokens: TokenSet = self.call(function, *args, **options)
        return tokens


@pytest.fixture(params=["sync", "asyncio", "trio"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with ExitStack() as stack:
        if request.param == "sync":
            side = Side(Blocking())
        else:
            side = Side(Awaiting(request.param, stack.enter_context(start_blocking_portal(request.param))))
        stack.callback(side.close)
        yield side


pytestmark = pytest.mark.parametrize("platform", ["fake", "server"], indirect=True)
AnyVisitor: TypeAlias = Visitor | FakeVisitor


@pytest.fixture
def visitor(platform: Any) -> Iterator[AnyVisitor]:
    with httpx.Client(trust_env=False) as http:
        yield FakeVisitor(platform, http) if isinstance(platform, FakeBlueRound) else Visitor(platform.origin, http)


@pytest.fixture
def person(platform: Any, visitor: AnyVisitor) -> Person:
    return new_person_of_fake(platform) if isinstance(visitor, FakeVisitor) else new_person(platform, visitor)


class Browser:
    """A browser in a thread of its own: logs in, decides, and follows the redirect to the application."""

    def __init__(self, visitor: AnyVisitor, person: Person, decision: str) -> None:
        self.visitor, self.person, self.decision = visitor, person, decision
        self.thread = threading.Thread()

    def __call__(self, url: str) -> None:
        self.thread = threading.Thread(target=self.visit, args=(url,))
        self.thread.start()

    def visit(self, url: str) -> None:
        self.visitor.http.get(self.visitor.decide(url, self.person, decision=self.decision))


class TestPrograms:
    def test_a_program_on_the_persons_machine(
        self,
        side: Side,
        platform: Any,
        visitor: AnyVisitor,
        person: Person,
    ) -> None:
        """A public application logs a person in, makes calls for them, refreshes, and logs them out."""
        application = new_application(platform, redirect_uri=LOOPBACK, is_public=True)
        options: dict[str, Any] = {"client_id": application.id, "base_url": platform.base_url}
        stored: list[dict[str, Any]] = []
        browser = Browser(visitor, person, "allow")

        tokens = side.log_in("in_browser", scope="users:read", open_browser=browser, deadline=60.0, **options)

        browser.thread.join()
        assert tokens.scope == "users:read"
        client = side.resume(tokens, **options, on_token_refreshed=stored.append)
        assert person.email in {user.email for user in side.call(client.users.list)}

        platform.lab.advance_clock(3601)
        side.call(client.users.list)
        assert len(stored) == 1

        resumed = side.resume(TokenSet(**stored[0]), **options)
        side.call(resumed.users.list)
        side.call(resumed.auth.log_out)
        with pytest.raises(AuthenticationError, match="log in again"):
            side.call(resumed.users.list)

        with pytest.raises(AuthenticationError) as caught:  # the server knows, too
            side.call(side.resume(TokenSet(**stored[0]), **options).users.list)
        assert caught.value.code == "invalid_grant"

    def test_denied_consent(self, side: Side, platform: Any, visitor: AnyVisitor, person: Person) -> None:
        """Denied consent is an error with its code."""
        application = new_application(platform, redirect_uri=LOOPBACK, is_public=True)
        browser = Browser(visitor, person, "deny")

        with pytest.raises(AuthenticationError) as caught:
            side.log_in(
                "in_browser",
                open_browser=browser,
                deadline=60.0,
                client_id=application.id,
                base_url=platform.base_url,
            )

        browser.thread.join()
        assert caught.value.code == "access_denied"


class TestWebApplications:
    def test_a_web_application(
        self,
        side: Side,
        platform: Any,
        visitor: AnyVisitor,
        person: Person,
    ) -> None:
        """A confidential application exchanges the code once, and introspects the token."""
        application = new_application(platform, redirect_uri=BACK)
        request = login.authorization_request(client_id=application.id, redirect_uri=BACK, base_url=platform.base_url)
        redirect = visitor.decide(request.url, person)

        tokens = side.log_in("exchange_code", request, redirect, client_secret=application.secret)

        client = side.resume(
            tokens, client_id=application.id, client_secret=application.secret, base_url=platform.base_url
        )
        introspection = side.call(client.auth.introspect, token=tokens.access_token)
        assert (introspection.active, introspection.client_id, introspection.scope, introspection.sub) == (
            True,
            application.id,
            "products:read users:read",
            person.id,
        )
        with pytest.raises(AuthenticationError) as caught:
            side.log_in("exchange_code", request, parameters(redirect), client_secret=application.secret)
        assert caught.value.code == "invalid_grant"

    def test_a_deactivated_person(
        self,
        side: Side,
        platform: Any,
        visitor: AnyVisitor,
        person: Person,
    ) -> None:
        """The session is over; the application's own rights do not replace it."""
        application = new_application(platform, redirect_uri=BACK)
        request = login.authorization_request(client_id=application.id, redirect_uri=BACK, base_url=platform.base_url)
        tokens = side.log_in(
            "exchange_code", request, visitor.decide(request.url, person), client_secret=application.secret
        )
        client = side.resume(
            tokens, client_id=application.id, client_secret=application.secret, base_url=platform.base_url
        )
        side.call(client.users.list)

        with Client(**platform.arguments) as administrator:
            administrator.users.update(person.id, status="inactive")

        with pytest.raises(AuthenticationError, match="log in again"):
            side.call(client.users.list)

    def test_a_code_of_another_login(self, side: Side, platform: Any, visitor: AnyVisitor, person: Person) -> None:
        """A redirect answers one request, and a code needs its verifier."""
        application = new_application(platform, redirect_uri=BACK)
        mine, theirs = (
            login.authorization_request(client_id=application.id, redirect_uri=BACK, base_url=platform.base_url)
            for _ in range(2)
        )
        redirect = visitor.decide(theirs.url, person)

        with pytest.raises(AuthenticationError) as caught:
            side.log_in("exchange_code", mine, redirect, client_secret=application.secret)
        assert caught.value.code == "state_mismatch"

        forged = {**parameters(redirect), "state": mine.state}
        with pytest.raises(AuthenticationError) as caught:
            side.log_in("exchange_code", mine, forged, client_secret=application.secret)
        assert caught.value.code == "invalid_grant"


class TestServices:
    def test_a_service_ends_its_session(self, side: Side, platform: Any) -> None:
        """Logging out ends the session of client credentials; the next call starts another."""
        held: list[dict[str, Any]] = []
        client = side.kind(**platform.application, on_token_refreshed=held.append)
        side.made.append(client)
        side.call(client.users.get_me)

        side.call(client.auth.log_out)

        side.call(client.users.get_me)
        first, second = (side.call(client.auth.introspect, token=pair["refresh_token"]).active for pair in held)
        assert (first, second) == (False, True)


class TestDevices:
    @pytest.fixture(autouse=True)
    def waits(self, platform: Any) -> Iterator[list[float]]:
        """Waits end at once, for client and server alike; the fake follows the clients' clocks by itself."""
        follows = isinstance(platform, FakeBlueRound)
        with FakeTime(start=time.time(), on_sleep=None if follows else platform.lab.advance_clock) as fake_time:
            yield fake_time.slept

    @pytest.fixture
    def options(self, platform: Any) -> dict[str, Any]:
        application = new_application(platform, redirect_uri=LOOPBACK, is_public=True)
        return {"client_id": application.id, "base_url": platform.base_url}

    def test_a_command_line(
        self, side: Side, options: dict[str, Any], visitor: AnyVisitor, person: Person, waits: list[float]
    ) -> None:
        """The person enters the code elsewhere while the program polls."""
        shown: list[login.DeviceAuthorization] = []

        def approve(device: login.DeviceAuthorization) -> None:
            visitor.decide_device(device, person)

        tokens = side.log_in("on_device", prompt=shown.append, on_progress=approve, scope="users:read", **options)

        client = side.resume(tokens, **options)
        assert person.email in {user.email for user in side.call(client.users.list)}
        assert (waits, tokens.scope) == ([5.0, 5.0], "users:read")
        assert str(shown[0].verification_uri_complete).endswith(shown[0].user_code)

    def test_denied_consent(self, side: Side, options: dict[str, Any], visitor: AnyVisitor, person: Person) -> None:
        """A denial on the page is an error with its code."""

        def deny(device: login.DeviceAuthorization) -> None:
            visitor.decide_device(device, person, decision="deny")

        with pytest.raises(AuthenticationError) as caught:
            side.log_in("on_device", prompt=deny, **options)

        assert caught.value.code == "access_denied"

    def test_a_code_that_expires(self, side: Side, options: dict[str, Any], platform: Any) -> None:
        """Unless the code is entered in time, the login is over."""
        with pytest.raises(AuthenticationError) as caught:
            side.log_in("on_device", prompt=lambda _: platform.lab.advance_clock(901), **options)

        assert caught.value.code == "expired_token"


class TestSaml:
    @pytest.fixture
    def assertion(self, platform: Any, person: Person, tmp_path: Path) -> Callable[[], bytes]:
        """Makes assertions about the person, by an identity provider that the organisation trusts."""
        if isinstance(platform, FakeBlueRound):
            return lambda: platform.saml_assertion(person.email)
        provider = identity_provider("https://idp.example.com")
        metadata = tmp_path / "metadata.xml"
        metadata.write_text(provider.metadata(), encoding="utf-8")
        command = [sys.executable, "-m", "redcore_server", "identity-provider", str(metadata)]
        subprocess.run([*command, "--data", str(platform.data)], check=True, capture_output=True)  # noqa: S603

        def assertion() -> bytes:
            statement = Statement(
                name_id=person.email,
                audience=f"{platform.origin}/saml/metadata.xml",
                recipient=f"{platform.origin}/oauth/token",
                now=datetime.now(UTC),
                issuer=provider.entity_id,
            )
            return serialized(provider.assertion(statement))

        return assertion

    @pytest.mark.parametrize("kind", [bytes, str])
    def test_a_person_of_an_identity_provider(
        self, side: Side, platform: Any, person: Person, assertion: Callable[[], bytes], kind: type
    ) -> None:
        """The raw XML becomes a session of the person, distinct from the application."""
        application = new_application(platform)
        xml = assertion() if kind is bytes else assertion().decode()
        options: dict[str, Any] = {
            "client_id": application.id,
            "client_secret": application.secret,
            "base_url": platform.base_url,
        }

        client = side.call(side.kind.from_saml_assertion, assertion=xml, scope="users:read", **options)

        side.made.append(client)
        assert person.email in {user.email for user in side.call(client.users.list)}
        with pytest.raises(AuthenticationError) as caught:  # an assertion can be used once
            side.call(side.kind.from_saml_assertion, assertion=xml, **options)
        assert caught.value.code == "invalid_grant"
        side.call(client.auth.log_out)
        with pytest.raises(AuthenticationError, match="log in again"):
            side.call(client.users.list)
