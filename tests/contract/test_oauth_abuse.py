"""Attacks on OAuth by requests, codes, tokens and scopes, over the wire: each attempt is refused.

The reasons are tested in tests/server, part by part; here the whole is attacked from outside.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from tests.contract.attacker import CHALLENGE, EVIL, VERIFIER, Attacker, refusal
from tests.contract.people import Actor, Visitor, new_application, parameters
from tests.server.support.browsing import forms_of

from redcore.testing import ReferenceServer

Json = dict[str, Any]


@pytest.fixture
def code(attacker: Attacker, actor: Actor) -> str:
    """A code that was stolen on its way to the application."""
    return parameters(actor.decide(attacker.request()))["code"]


@pytest.fixture
def tokens(attacker: Attacker, code: str) -> Json:
    answer: Json = attacker.redeem(code).raise_for_status().json()
    return answer


class TestRedirection:
    @pytest.mark.parametrize(
        "redirect_uri",
        [
            EVIL,
            "https://shop.example.com/callback/../evil",
            "https://shop.example.com/callback?next=https://evil.example.com",
            "https://shop.example.com.evil.example.com/callback",
            "https://shop.example.com@evil.example.com/callback",
            "http://shop.example.com/callback",
            "https://shop.example.com:444/callback",
            "https://shop.example.com/Callback",
            "https://shop.example.com/callback#fragment",
            "//evil.example.com/callback",
            "javascript:alert(1)",
        ],
    )
    def test_an_unregistered_redirect_uri_is_never_followed(
        self, redirect_uri: str, attacker: Attacker, visitor: Visitor
    ) -> None:
        """The answer is a page without a redirect, whatever else is wrong with the request."""
        for changes in ({}, {"scope": "nonsense"}, {"code_challenge": ""}):
            answer = visitor.get(attacker.request(redirect_uri=redirect_uri, **changes))
            assert (answer.status_code, "Location" in answer.headers) == (400, False)
            assert redirect_uri not in answer.text

    def test_a_code_is_not_redeemed_for_another_redirect_uri(self, attacker: Attacker, code: str) -> None:
        """The token endpoint requires the redirect URI of the request, exactly."""
        assert refusal(attacker.redeem(code, redirect_uri=EVIL)) == (400, "invalid_grant")

    def test_pages_have_no_open_redirect(self, attacker: Attacker, actor: Actor) -> None:
        """Signing in leads to the page that asked, whatever the URL contains."""
        for name in ("next", "return_to", "continue", "redirect", "RelayState"):
            page = actor.visitor.get(attacker.request(**{name: EVIL}))
            fields = {"email": actor.person.email, "password": actor.person.password, name: EVIL}
            answer = actor.visitor.fill(page, "password" if "password" in forms_of(page) else "sign-out", **fields)
            assert answer.headers["Location"].startswith("/oauth/authorize?")


class TestCodes:
    def test_of_another_client(self, attacker: Attacker, code: str) -> None:
        """A code can only be used by the client that it was made for, and not at all after another client tried."""
        other = new_application(attacker.server, name="Other")
        assert refusal(attacker.redeem(code, by=other)) == (400, "invalid_grant")

    @pytest.mark.parametrize("verifier", ["", "w" * 64, CHALLENGE], ids=["none", "another", "the challenge"])
    def test_without_the_verifier(self, verifier: str, attacker: Attacker, code: str) -> None:
        """The code is useless without the verifier."""
        status, error = refusal(attacker.redeem(code, code_verifier=verifier))
        assert (status, error in {"invalid_grant", "invalid_request"}) == (400, True)

    def test_used_twice(self, attacker: Attacker, code: str) -> None:
        """The second use is refused and revokes the tokens of the first."""
        tokens = attacker.redeem(code).json()
        assert attacker.call(tokens["access_token"]).status_code == 200
        assert refusal(attacker.redeem(code)) == (400, "invalid_grant")
        assert attacker.call(tokens["access_token"]).status_code == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"code_challenge": "", "code_challenge_method": ""},
            {"code_challenge_method": ""},
            {"code_challenge_method": "plain"},
            {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        ],
        ids=["left out", "default", "plain", "plain verifier"],
    )
    def test_downgraded_pkce(self, changes: dict[str, str], attacker: Attacker, visitor: Visitor) -> None:
        """A request without S256 is refused before any page is shown."""
        answer = visitor.get(attacker.request(**changes))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(f"{attacker.application.redirect_uri}?")
        assert parameters(answer.headers["Location"])["error"] == "invalid_request"

    def test_implicit_grant(self, attacker: Attacker, visitor: Visitor) -> None:
        """No response type returns tokens in a URL."""
        for response_type in ("token", "code token", "id_token"):
            location = visitor.get(attacker.request(response_type=response_type)).headers["Location"]
            assert parameters(location)["error"] == "unsupported_response_type"


class TestForgedTokens:
    """An attacker with a valid token, the public keys and all claims, but no private key."""

    @pytest.fixture
    def tokens(self, attacker: Attacker) -> Json:
        answer: Json = attacker.token("client_credentials").raise_for_status().json()
        return answer

    @pytest.fixture
    def forge(self, tokens: Json) -> Callable[..., str]:
        """Sign the claims of a valid token, changed, with a key of the attacker's own."""
        header, claims = (json.loads(_decoded(part)) for part in tokens["access_token"].split(".")[:2])

        def forge(key: Any, *, headers: Json | None = None, **changes: Any) -> str:
            forged = {**header, **(headers or {})}
            return jws.serialize_compact(forged, json.dumps({**claims, **changes}), key, algorithms=[forged["alg"]])

        return forge

    def test_alg_none(self, attacker: Attacker, tokens: Json) -> None:
        """A token that declares to need no signature."""
        _, claims, signature = tokens["access_token"].split(".")
        for name in ("none", "None", "NONE"):
            header = _encoded(json.dumps({"alg": name, "typ": "at+jwt"}).encode())
            for forged in (f"{header}.{claims}.", f"{header}.{claims}.{signature}"):
                assert attacker.call(forged).status_code == 401

    def test_hs256_with_the_public_key(self, attacker: Attacker, tokens: Json) -> None:
        """A token signed with the public key as a shared secret."""
        (jwk, *_) = attacker.http.get(f"{attacker.server.origin}/.well-known/jwks.json").json()["keys"]
        public = RSAKey.import_key(jwk)
        header = _encoded(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": jwk["kid"]}).encode())
        signed = f"{header}.{tokens['access_token'].split('.')[1]}"
        pem, der = public.as_pem(private=False), public.as_der(private=False)
        for secret in (pem, pem.strip(), der, json.dumps(jwk).encode(), jwk["n"].encode(), _decoded(jwk["n"])):
            signature = _encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))
            assert attacker.call(f"{signed}.{signature}").status_code == 401

    @pytest.mark.parametrize("headers", [{}, {"kid": "unknown"}, {"kid": "../../dev/null"}], ids=["kid", "new", "path"])
    def test_another_key(self, headers: Json, attacker: Attacker, forge: Callable[..., str]) -> None:
        """A token signed with another key, under a known key id or an unknown one."""
        assert attacker.call(forge(RSAKey.generate_key(2048), headers=headers)).status_code == 401

    def test_a_key_that_the_token_brings(self, attacker: Attacker, forge: Callable[..., str]) -> None:
        """A token that contains its key, or a URL to fetch it from."""
        key = RSAKey.generate_key(2048)
        for headers in ({"jwk": key.as_dict(private=False)}, {"jku": EVIL, "kid": "evil"}):
            assert attacker.call(forge(key, headers=headers)).status_code == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"scope": "admin"},
            {"aud": "https://other.example.com/v1"},
            {"iss": "https://evil.example.com"},
            {"exp": 32503680000},
            {"org": "org_other"},
            {"sub": "usr_other"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_tampered_claims(self, changes: Json, attacker: Attacker, tokens: Json) -> None:
        """A valid token with one claim changed under its old signature."""
        header, claims, signature = tokens["access_token"].split(".")
        tampered = _encoded(json.dumps({**json.loads(_decoded(claims)), **changes}).encode())
        assert attacker.call(f"{header}.{tampered}.{signature}").status_code == 401

    def test_of_another_platform(self, attacker: Attacker) -> None:
        """A token that another server of the same kind signed: other key, issuer and audience."""
        with ReferenceServer() as other:
            application = new_application(other)
            form = {"grant_type": "client_credentials"}
            answer = httpx.post(
                f"{other.origin}/oauth/token",
                data=form,
                auth=(application.id, application.secret or ""),
                trust_env=False,
            )
        assert attacker.call(answer.json()["access_token"]).status_code == 401

    def test_a_refresh_token_or_secret_as_access_token(self, attacker: Attacker, tokens: Json) -> None:
        """Only access tokens are accepted by the API."""
        assert attacker.call(tokens["access_token"]).status_code == 200
        for token in (tokens["refresh_token"], attacker.application.secret or ""):
            assert attacker.call(token).status_code == 401


class TestScopes:
    def test_scope_escalation_on_refresh(self, attacker: Attacker, tokens: Json) -> None:
        """A refresh gives the granted scope or less, even if the application may have more."""
        more = attacker.token("refresh_token", refresh_token=tokens["refresh_token"], scope="users:read products:read")
        assert refusal(more) == (400, "invalid_scope")

    def test_more_than_the_application_may(self, attacker: Attacker, visitor: Visitor) -> None:
        """No request, with or without a person, gives scopes that the application was not registered with."""
        assert refusal(attacker.token("client_credentials", scope="admin")) == (400, "invalid_scope")
        location = visitor.get(attacker.request(scope="users:read admin")).headers["Location"]
        assert parameters(location)["error"] == "invalid_scope"

    def test_more_than_was_shown(self, attacker: Attacker, actor: Actor) -> None:
        """A consent form with another scope than the person saw grants nothing."""
        page = actor.open(attacker.request())
        answer = actor.visitor.fill(page, "consent", decision="allow", scope="users:read products:read")
        assert (answer.status_code, "consent" in forms_of(answer)) == (200, True)


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
