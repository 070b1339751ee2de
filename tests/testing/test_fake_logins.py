"""The people of the fake: how they log in, and the errors for impossible actions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from redcore import AuthenticationError, Client, login
from redcore.testing import FakeBlueRound

ASSERTION = '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1">{}</saml:Assertion>'
SUBJECT = "<saml:Subject><saml:NameID>{}</saml:NameID></saml:Subject>"


@pytest.fixture
def fake() -> Iterator[FakeBlueRound]:
    with FakeBlueRound() as fake:
        yield fake


def test_a_browser_logs_a_person_in(fake: FakeBlueRound) -> None:
    """It follows the redirect to the program that waits on loopback."""
    tokens = login.in_browser(**fake.application, open_browser=fake.browser(), deadline=60)

    with Client.from_tokens(tokens, **fake.application) as client:
        assert client.users.get_me().email == "admin@example.com"


def test_a_browser_in_which_a_person_refuses(fake: FakeBlueRound) -> None:
    """The login fails as it does on the platform."""
    with pytest.raises(AuthenticationError, match="access_denied"):
        login.in_browser(**fake.application, open_browser=fake.browser(decision="deny"), deadline=60)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_id": "app_none"}, "no application has this client_id"),
        ({"redirect_uri": "https://evil.example/"}, "is not a redirect URI of the application"),
    ],
)
def test_an_authorization_request_with_an_error_page(
    fake: FakeBlueRound, changes: dict[str, str], message: str
) -> None:
    """There is no redirect, so the test gets the message of the error page."""
    asked = {"client_id": fake.client_id, "redirect_uri": "http://127.0.0.1/callback", **changes}
    request = login.authorization_request(base_url=fake.base_url, **asked)

    with pytest.raises(ValueError, match=message):
        fake.authorize(request.url)


def test_unknown_people(fake: FakeBlueRound) -> None:
    """An unknown person, or one whose invitation is open, can neither decide nor accept."""
    fake.client().users.create(email="ada@example.com", name="Ada")
    request = login.authorization_request(
        base_url=fake.base_url, client_id=fake.client_id, redirect_uri="http://127.0.0.1/callback"
    )

    with pytest.raises(ValueError, match=r"no active person has the e-mail 'ada@example\.com'"):
        fake.authorize(request.url, "ada@example.com")
    with pytest.raises(ValueError, match=r"no active person has the e-mail 'alan@example\.com'"):
        fake.decide_device("BCDF-GHJK", "alan@example.com")
    with pytest.raises(ValueError, match=r"no invited user has the e-mail 'admin@example\.com'"):
        fake.accept_invitation("admin@example.com")


def test_an_unknown_user_code(fake: FakeBlueRound) -> None:
    """A mistyped code is an error."""
    with pytest.raises(ValueError, match="no device waits with the code 'BCDF-GHJK'"):
        fake.decide_device("BCDF-GHJK")


def logged_in(fake: FakeBlueRound, assertion: str | bytes, **options: Any) -> Client:
    """Log in with an assertion."""
    return Client.from_saml_assertion(assertion=assertion, **fake.application, **options)


def test_an_assertion_is_good_once(fake: FakeBlueRound) -> None:
    """The second use of the same one is refused; its scopes are within the person's role."""
    editor = fake.client().users.create(email="ada@example.com", name="Ada", role="editor")
    fake.accept_invitation(editor.email)
    assertion = fake.saml_assertion(editor.email)

    with logged_in(fake, assertion) as client:
        assert client.users.get_me().id == editor.id
        scopes = client.raw.users.get_me().headers["X-OAuth-Scopes"].split()
    with pytest.raises(AuthenticationError, match="invalid_grant"):
        logged_in(fake, assertion)
    assert "products:write" in scopes
    assert "users:write" not in scopes


@pytest.mark.parametrize(
    "assertion",
    [
        ASSERTION.format(""),
        ASSERTION.format(SUBJECT.format("")),
        ASSERTION.format(SUBJECT.format("nobody@example.com")),
        ASSERTION.format(
            SUBJECT.format("admin@example.com") + '<saml:Conditions NotOnOrAfter="2020-01-01T00:00:00Z"/>'
        ),
        ASSERTION.format(SUBJECT.format("admin@example.com") + '<saml:Conditions NotBefore="2100-01-01T00:00:00Z"/>'),
    ],
    ids=["no subject", "no name", "nobody", "too late", "too early"],
)
def test_an_assertion_that_is_not_valid(fake: FakeBlueRound, assertion: str) -> None:
    """The refusal does not say why."""
    with pytest.raises(AuthenticationError, match="The assertion is not valid"):
        logged_in(fake, assertion)


def test_an_async_client_of_the_fake(fake: FakeBlueRound) -> None:
    """It has the seeded key, as the blocking one does."""

    async def main() -> str:
        async with fake.async_client() as client:
            return (await client.users.get_me()).email

    assert asyncio.run(main()) == "admin@example.com"


def test_a_program_is_configured_by_the_environment_of_the_fake(
    fake: FakeBlueRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client without arguments has the seeded key."""
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)

    assert Client().users.get_me().email == "admin@example.com"
