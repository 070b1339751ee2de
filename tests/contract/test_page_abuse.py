"""What attackers try with pages, sessions and addresses, over the wire: forged forms, fixation, leaks into logs."""

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
    """What a person's consent gave to the application."""
    code = parameters(actor.decide(attacker.request()))["code"]
    answer: Json = attacker.redeem(code).raise_for_status().json()
    return answer


def is_asked_again(answer: httpx.Response, page: httpx.URL) -> bool:
    """Whether nothing was decided: the browser is sent to the very page that shows the form."""
    return answer.status_code == 302 and answer.headers["Location"].encode() == page.raw_path


class TestForgedForms:
    @pytest.fixture
    def page(self, attacker: Attacker, actor: Actor) -> httpx.Response:
        """A consent page that waits for its answer."""
        return actor.open(attacker.request())

    @pytest.mark.parametrize("csrf", ["", "0" * 64], ids=["none", "guessed"])
    def test_consent_without_the_token(self, csrf: str, page: httpx.Response, actor: Actor) -> None:
        """Another site cannot consent in a person's name, for it cannot read the form."""
        form = {**forms_of(page)["consent"], "csrf": csrf, "decision": "allow"}
        answer = actor.visitor.post(str(page.url), form)
        assert is_asked_again(answer, page.url)

    def test_consent_from_another_site(self, page: httpx.Response, actor: Actor) -> None:
        """Even the right token is of no use from elsewhere."""
        form = {**forms_of(page)["consent"], "decision": "allow"}
        answer = actor.visitor.post(str(page.url), form, origin="https://evil.example.com")
        assert (answer.status_code, "Location" in answer.headers) == (400, False)

    def test_consent_with_the_token_of_the_attackers_own_session(
        self, page: httpx.Response, attacker: Attacker, actor: Actor
    ) -> None:
        """A form is good for the session alone that it was shown in."""
        own = forms_of(Visitor(attacker.server.origin, attacker.http).get(attacker.request()))["password"]
        form = {**forms_of(page)["consent"], "csrf": own["csrf"], "decision": "allow"}
        assert is_asked_again(actor.visitor.post(str(page.url), form), page.url)

    def test_consent_by_a_link(self, page: httpx.Response, actor: Actor) -> None:
        """Opening an address decides nothing."""
        form = {**forms_of(page)["consent"], "decision": "allow"}
        answer = actor.visitor.get(f"{page.url}&{urlencode({n: v for n, v in form.items() if n != 'scope'})}")
        assert "code=" not in answer.headers.get("Location", "")

    def test_login(self, attacker: Attacker, actor: Actor) -> None:
        """Nobody is signed in as somebody else by another site's form."""
        victim = Visitor(attacker.server.origin, attacker.http)
        victim.get(attacker.request())
        form = {"step": "password", "email": actor.person.email, "password": actor.person.password, "csrf": "0" * 64}
        assert is_asked_again(victim.post(attacker.request(), form), httpx.URL(attacker.request()))
        assert "password" in forms_of(victim.get(attacker.request()))


class TestSessions:
    def test_fixation(self, attacker: Attacker, actor: Actor) -> None:
        """A session id that was planted in a browser is worth nothing once somebody signs in there."""
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
    def test_a_token_in_an_address_is_not_taken(self, name: str, attacker: Attacker, tokens: Json) -> None:
        """RFC 6750 section 2.3 is not offered: addresses end up in logs and histories."""
        answer = attacker.http.get(f"{attacker.server.base_url}/users", params={name: tokens["access_token"]})
        assert answer.status_code == 401

    def test_no_secret_in_an_address_or_form_is_logged(self, attacker: Attacker, actor: Actor, tokens: Json) -> None:
        """Whatever somebody puts where it does not belong, the log does not keep it, nor what belongs there."""
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

    def test_credentials_in_the_address_of_the_token_endpoint(self, attacker: Attacker) -> None:
        """Parameters belong into the body (RFC 6749 section 3.2): those of an address count for nothing."""
        application = attacker.application
        query = {"grant_type": "client_credentials", "client_id": application.id, "client_secret": application.secret}
        answer = attacker.http.post(f"{attacker.server.origin}/oauth/token", params=query)
        assert answer.status_code in {400, 401}
        assert "access_token" not in answer.text


class TestSignIn:
    def test_says_the_same_of_the_unknown(self, attacker: Attacker, actor: Actor) -> None:
        """An e-mail address that nobody has is not told apart from a wrong password by the page."""
        assert _failed(attacker, actor.person.email) == _failed(attacker, "nobody@example.com")


def _failed(attacker: Attacker, email: str) -> str:
    """The page after a wrong password, without what the visitor brought."""
    visitor = Visitor(attacker.server.origin, attacker.http)
    page = visitor.get(attacker.request())
    answer = visitor.fill(page, "password", email=email, password="not the password at all")
    return answer.text.replace(email, "").replace(forms_of(answer)["password"]["csrf"], "")


def _anonymous(attacker: Attacker) -> str:
    """A session id that the server made, for the attacker."""
    visitor = Visitor(attacker.server.origin, attacker.http)
    visitor.get(attacker.request())
    return visitor.cookies["redcore_session"]
