"""People and applications at a running reference server, and a browser as far as its pages need one.

The user's side of every flow is done as a person would: open the link of the mail, fill in the forms of the pages.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import attrs
import httpx
import pyotp
from tests.server.support.browsing import forms_of

from redcore import ApplicationType, Client, Scope, User, UserRole
from redcore.login import DeviceAuthorization
from redcore.testing import FakeBlueRound, ReferenceServer

PASSWORD = "four words nobody says"
CALLBACK = "https://shop.example.com/callback"
TIMEOUT_S = 120.0
STEP_S = 30  # RFC 6238 section 4.1


@attrs.frozen
class Person:
    """A person who has accepted the invitation."""

    id: str
    email: str
    password: str = PASSWORD
    totp_secret: str | None = None
    accepted_at: int = attrs.field(factory=lambda: int(time.time()))

    def code(self) -> str:
        """Return the code that the authenticator app showed when the invitation was accepted."""
        return self._code_at(self.accepted_at)

    def later_code(self) -> str:
        """Return the code of the step after that, or of this moment if it is later still.

        The server accepts codes of the steps around its own, but none twice.
        """
        return self._code_at(max(self.accepted_at + STEP_S, int(time.time())))

    def _code_at(self, moment: int) -> str:
        assert self.totp_secret is not None
        return pyotp.TOTP(self.totp_secret, interval=STEP_S).at(moment)


@attrs.frozen
class Application:
    """A registered OAuth client; a public one has no secret."""

    id: str
    secret: str | None
    redirect_uri: str


@attrs.define
class Visitor:
    """A browser at a server: keeps the cookie, follows no redirect by itself, sends forms as they came."""

    origin: str
    http: httpx.Client
    cookies: dict[str, str] = attrs.field(factory=dict)

    def get(self, address: str) -> httpx.Response:
        """Open an address."""
        return self._send(self.http.build_request("GET", urljoin(self.origin, address)))

    def post(self, address: str, form: dict[str, str], *, origin: str | None = None) -> httpx.Response:
        """Send a form, from our own page unless another origin is given."""
        headers = {"Origin": origin or self.origin}
        return self._send(self.http.build_request("POST", urljoin(self.origin, address), data=form, headers=headers))

    def fill(self, page: httpx.Response, step: str, **fields: str) -> httpx.Response:
        """Send one form of a page to the page's own address, with some fields filled in."""
        return self.post(str(page.url), {**forms_of(page)[step], **fields})

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follow a redirect within the server."""
        assert answer.status_code == 302, answer.text
        return self.get(answer.headers["Location"])

    def sign_in(self, address: str, person: Person) -> httpx.Response:
        """Open a page that requires a session, and sign in; return the requested page."""
        after = self.follow(self.fill(self.get(address), "password", email=person.email, password=person.password))
        if person.totp_secret is not None:
            after = self.follow(self.fill(after, "code", code=person.later_code()))
        return after

    def decide(self, address: str, person: Person, *, decision: str = "allow") -> str:
        """Do all that an authorization request asks for; return the URL that the browser is sent back to."""
        answer = self.fill(self.sign_in(address, person), "consent", decision=decision)
        assert answer.status_code == 302, answer.text
        location: str = answer.headers["Location"]
        return location

    def decide_device(self, device: DeviceAuthorization, person: Person, *, decision: str = "allow") -> None:
        """Enter the code that a device shows, and decide."""
        page = self.sign_in(f"{device.verification_uri}?user_code={device.user_code}", person)
        assert "connected" in self.fill(page, "device-consent", decision=decision).text or decision == "deny"

    def _send(self, request: httpx.Request) -> httpx.Response:
        # Not httpx's own jar: it keeps `Secure` cookies from plain HTTP, where browsers except loopback hosts.
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.http.send(request)
        for header in answer.headers.get_list("Set-Cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.http.cookies.clear()
        return answer


@attrs.frozen
class FakeVisitor:
    """A browser at the platform in process, which has no pages."""

    fake: FakeBlueRound
    http: httpx.Client

    def decide(self, address: str, person: Person, *, decision: Any = "allow") -> str:
        """See `Visitor`."""
        return self.fake.authorize(address, person.email, decision=decision)

    def decide_device(self, device: DeviceAuthorization, person: Person, *, decision: Any = "allow") -> None:
        """See `Visitor`."""
        self.fake.decide_device(device.user_code, person.email, decision=decision)


@attrs.frozen
class Actor:
    """A person at a browser."""

    person: Person
    visitor: Visitor

    def open(self, address: str) -> httpx.Response:
        """Open a page that requires a session, and sign in; return the requested page."""
        return self.visitor.sign_in(address, self.person)

    def decide(self, address: str, *, decision: str = "allow") -> str:
        """Do all that an authorization request asks for; return the URL that the browser is sent back to."""
        return self.visitor.decide(address, self.person, decision=decision)


def invitation_link(server: ReferenceServer, user: User) -> str:
    """Return the link of an invitation mail; waits for the worker to send it."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        for mail in server.lab.outbox():
            if mail.to == user.email and mail.link:
                return mail.link
        time.sleep(0.02)
    raise AssertionError(f"no mail was sent to {user.email}")


def invite(server: ReferenceServer, *, name: str = "Mara", role: UserRole = UserRole.ADMIN) -> User:
    """Send an invitation."""
    with Client(**server.api_key) as client:
        return client.users.create(email=f"{name.lower()}@example.com", name=name, role=role)


def new_person(
    server: ReferenceServer,
    visitor: Visitor,
    *,
    name: str = "Mara",
    role: UserRole = UserRole.ADMIN,
    with_totp: bool = False,
) -> Person:
    """Invite a person, who accepts."""
    user = invite(server, name=name, role=role)
    page = visitor.get(invitation_link(server, user))
    form = forms_of(page)["accept"]
    person = Person(user.id, user.email, totp_secret=form["secret"] if with_totp else None)
    code = person.code() if with_totp else ""
    accepted = visitor.post(str(page.url), {**form, "password": PASSWORD, "repeated": PASSWORD, "code": code})
    assert accepted.status_code == 200, accepted.text
    return person


def new_person_of_fake(fake: FakeBlueRound) -> Person:
    """Invite a person, who accepts."""
    user = fake.client().users.create(email="mara@example.com", name="Mara", role=UserRole.ADMIN)
    fake.accept_invitation(user.email)
    return Person(user.id, user.email)


def new_application(
    server: Any,
    *,
    name: str = "Storefront",
    redirect_uri: str = CALLBACK,
    scopes: Sequence[Scope] = (Scope.USERS_READ, Scope.PRODUCTS_READ),
    is_public: bool = False,
) -> Application:
    """Register an application that people can sign in to, at a server or a fake."""
    with Client(**server.arguments) as client:
        made = client.applications.create(
            name=name,
            type=ApplicationType.PUBLIC if is_public else ApplicationType.CONFIDENTIAL,
            scopes=list(scopes),
            redirect_uris=[redirect_uri],
        )
    return Application(made.id, made.client_secret, redirect_uri)


def parameters(address: str) -> dict[str, str]:
    """Return the query parameters of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}
