"""Attacks on pages, sessions and URLs, over the wire: forged forms, session fixation, leaks into logs."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.contract.attacker import EVIL, VERIFIER, Attacker
from tests.contract.people import Actor, Visitor, parameters
from tests.server.support.browsing import forms_of

Json = dict[str, Any]


@pytest.fixture
def tokens(attacker: Attacker, actor: Actor) -> Json:
    """Return the tokens that a person's consent gave to the application."""
    code = parameters(actor.decide(attacker.request()))["code"]
    answer: Json = attacker.redeem(code).raise_for_status().json()
    return answer


def is_asked_again(answer: httpx.Response, page: httpx.URL) -> bool:
    """Return whether nothing was decided: the browser is sent to the page that shows the form."""
    return answer.status_code == 302 and answer.headers["Location"].encode() == page.raw_path


class TestForgedForms:
    @pytest.fixture
    def page(self, attacker: Attacker, actor: Actor) -> httpx.Response:
        """A consent page that waits for its answer."""
        return actor.open(attacker.request())

    @pytest.mark.parametrize("csrf", ["", "0" * 64], ids=["none", "guessed"])
    def test_csrf_consent_without_the_token(self, csrf: str, page: httpx.Response, actor: Actor) -> None:
        """Another site cannot consent in a person's name, as it cannot read the form."""
        form = {**forms_of(page)["consent"], "csrf": csrf, "decision": "allow"}
        answer = actor.visitor.post(str(page.url), form)
        assert is_asked_again(answer, page.url)

    def test_csrf_consent_from_another_site(self, page: httpx.Response, actor: Actor) -> None:
        """Even the right token is useless from another origin."""
        form = {**forms_of(page)["consent"], "decision": "allow"}
        answer = actor.visitor.post(str(page.url), form, origin="https://evil.example.com")
        assert (answer.status_code, "Location" in answer.headers) == (400, False)

    def test_csrf_token_of_the_attackers_own_session(
        self, page: httpx.Response, attacker: Attacker, actor: Actor
    ) -> None:
        """A form is valid only for the session that it was shown in."""
        own = forms_of(Visitor(attacker.server.origin, attacker.http).get(attacker.request()))["password"]
        form = {**forms_of(page)["consent"], "csrf": own["csrf"], "decision": "allow"}
        assert is_asked_again(actor.visitor.post(str(page.url), form), page.url)

    def test_csrf_consent_by_a_link(self, page: httpx.Response, actor: Actor) -> None:
        """Opening a URL decides nothing."""
        form = {**forms_of(page)["consent"], "decision": "allow"}
        answer = actor.visitor.get(f"{page.url}&{urlencode({n: v for n, v in form.items() if n != 'scope'})}")
        assert "code=" not in answer.headers.get("Location", "")

    def test_csrf_login(self, attacker: Attacker, actor: Actor) -> None:
        """Another site's form signs no one in as another person."""
        victim = Visitor(attacker.server.origin, attacker.http)
        victim.get(attacker.request())
        form = {"step": "password", "email": actor.person.email, "password": actor.person.password, "csrf": "0" * 64}
        assert is_asked_again(victim.post(attacker.request(), form), httpx.URL(attacker.request()))
        assert "password" in forms_of(victim.get(attacker.request()))


class TestSessions:
    def test_session_fixation(self, attacker: Attacker, actor: Actor) -> None:
        """A session id that was planted in a browser is invalid after the sign-in."""
        for planted in ("chosen-by-the-attacker", secrets.token_urlsafe(32), _anonymous(attacker)):
            victim = Visitor(attacker.server.origin, attacker.http, {"redcore_session": planted})
            assert "consent" in forms_of(victim.sign_in(attacker.request(), actor.person))
            assert victim.cookies["redcore_session"] != planted
            spy = Visitor(attacker.server.origin, attacker.http, {"redcore_session": planted})
            assert "password" in forms_of(spy.get(attacker.request()))

    def test_pages_cannot_be_framed_cached_or_scripted(self, attacker: Attacker, actor: Actor) -> None:
        """Every page says so by header: clickjacking, the back button after a logout, injected scripts."""
        pages = [
            Visitor(attacker.server.origin, attacker.http).get(attacker.request()),
            actor.open(attacker.request()),
            actor.visitor.get("/oauth/device"),
            actor.visitor.get("/oauth/invitations/unknown"),
            actor.visitor.get(attacker.request(redirect_uri=EVIL)),
        ]
        for page in pages:
            policy = page.headers["Content-Security-Policy"]
            assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
            assert "unsafe" not in policy
            assert (page.headers["X-Frame-Options"], page.headers["Cache-Control"]) == ("DENY", "no-store")


class TestAddresses:
    @pytest.mark.parametrize("name", ["access_token", "token", "authorization", "api_key"])
    def test_a_token_in_a_url_is_not_accepted(self, name: str, attacker: Attacker, tokens: Json) -> None:
        """RFC 6750 section 2.3 is not supported: URLs end up in logs and histories."""
        answer = attacker.http.get(f"{attacker.server.base_url}/users", params={name: tokens["access_token"]})
        assert answer.status_code == 401

    def test_no_secret_in_a_url_or_form_is_logged(self, attacker: Attacker, actor: Actor, tokens: Json) -> None:
        """The log keeps no secret, whether it was sent in the right place or not."""
        canaries = [tokens["access_token"], tokens["refresh_token"], attacker.application.secret or "", "canary-code"]
        for canary in canaries:
            attacker.http.get(f"{attacker.server.base_url}/users", params={"access_token": canary})
            attacker.http.get(f"{attacker.server.origin}/oauth/authorize", params={"code": canary})
            attacker.http.get(f"{attacker.server.origin}/oauth/invitations/{canary}")
            attacker.http.post(f"{attacker.server.origin}/oauth/token?{urlencode({'code': canary})}")
            attacker.token("refresh_token", refresh_token=canary)
        log = attacker.server.log_file.read_text("utf-8")
        for canary in (*canaries, actor.person.password, VERIFIER, *actor.visitor.cookies.values()):
            assert canary not in log

    def test_credentials_in_the_url_of_the_token_endpoint(self, attacker: Attacker) -> None:
        """Parameters belong in the body (RFC 6749 section 3.2): those of the query are ignored."""
        application = attacker.application
        query = {"grant_type": "client_credentials", "client_id": application.id, "client_secret": application.secret}
        answer = attacker.http.post(f"{attacker.server.origin}/oauth/token", params=query)
        assert answer.status_code in {400, 401}
        assert "access_token" not in answer.text


class TestSignIn:
    def test_unknown_e_mail_addresses_are_not_revealed(self, attacker: Attacker, actor: Actor) -> None:
        """The page is the same for an unknown e-mail address and for a wrong password."""
        assert _failed(attacker, actor.person.email) == _failed(attacker, "nobody@example.com")


def _failed(attacker: Attacker, email: str) -> str:
    """Return the page after a wrong password, without the visitor's input."""
    visitor = Visitor(attacker.server.origin, attacker.http)
    page = visitor.get(attacker.request())
    answer = visitor.fill(page, "password", email=email, password="not the password at all")
    return answer.text.replace(email, "").replace(forms_of(answer)["password"]["csrf"], "")


def _anonymous(attacker: Attacker) -> str:
    """Return a session id that the server made, for the attacker."""
    visitor = Visitor(attacker.server.origin, attacker.http)
    visitor.get(attacker.request())
    return visitor.cookies["redcore_session"]
