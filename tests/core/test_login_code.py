"""The authorization code grant: the request, the checks of a redirect, and the exchange."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.world import START, World, answer, form, tokens

from redcore import (
    ArgumentError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    RedcoreError,
    ResponseError,
    TokenSet,
)
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore.login import AuthorizationRequest, authorization_request
from redcore.login.authorization import code_grant, code_in

APP = Credentials(client_id="app_1", personal=True)
REQUEST = authorization_request(client_id="app_1", redirect_uri="https://app.example/back?a=1", scope="users:read")
ORIGIN = "https://api.blueround.com"
GOOD = {"code": "c0de", "state": REQUEST.state, "iss": ORIGIN}
NO_REDIRECTS: list[Any] = [{"code": ["c0de"]}, {b"code": "c0de"}, {"code": None}, b"code=c0de", None]


def query(request: AuthorizationRequest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query))


class TestRequest:
    def test_the_url(self) -> None:
        """RFC 6749 section 4.1.1 and RFC 7636 section 4.3."""
        digest = hashlib.sha256(REQUEST.code_verifier.encode()).digest()

        assert REQUEST.url.partition("?")[0] == f"{ORIGIN}/oauth/authorize"
        assert query(REQUEST) == {
            "response_type": "code",
            "client_id": "app_1",
            "redirect_uri": "https://app.example/back?a=1",
            "scope": "users:read",
            "state": REQUEST.state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }

    def test_the_challenge_of_the_rfc(self) -> None:
        """RFC 7636 appendix B."""
        request = AuthorizationRequest(
            client_id="a",
            redirect_uri="https://a",
            auth_url="https://b",
            code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        )

        assert query(request)["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        assert "scope" not in query(request)

    def test_every_login_has_its_own_secrets(self) -> None:
        """State and verifier are new each time, different, and as long as the RFC asks."""
        other = authorization_request(client_id="app_1", redirect_uri="https://app.example/back")

        secrets = {REQUEST.state, REQUEST.code_verifier, other.state, other.code_verifier}
        assert len(secrets) == 4
        assert {len(secret) for secret in secrets} == {43}

    def test_the_repr_shows_no_secret(self) -> None:
        """The repr is not enough to finish the login."""
        assert REQUEST.state not in repr(REQUEST)
        assert REQUEST.code_verifier not in repr(REQUEST)

    def test_it_can_be_stored(self) -> None:
        """The request can be restored from a session store."""
        assert AuthorizationRequest(**REQUEST.as_dict()) == REQUEST  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("options", "origin"),
        [
            ({"environment": "staging"}, "https://api.blueround.dev"),
            ({"base_url": "http://127.0.0.1:4010/v1"}, "http://127.0.0.1:4010"),
            ({"auth_url": "https://login.example"}, "https://login.example"),
        ],
    )
    def test_the_addresses_are_those_of_a_client(self, options: dict[str, Any], origin: str) -> None:
        """base_url, auth_url and environment mean what they mean for Client."""
        request = authorization_request(client_id="a", redirect_uri="com.example:/back", **options)

        assert request.url.startswith(f"{origin}/oauth/authorize?")

    def test_the_application_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The client id may come from REDCORE_CLIENT_ID; without one the error says what to pass."""
        with pytest.raises(ConfigurationError, match="client_id is missing: pass client_id= or set REDCORE_CLIENT_ID"):
            authorization_request(redirect_uri="https://a")

        monkeypatch.setenv("REDCORE_CLIENT_ID", "app_env")
        assert authorization_request(redirect_uri="https://a").client_id == "app_env"

    @pytest.mark.parametrize(
        "uri", ["", "/back", "app.example/back", "https://app.example/#back", "https://a/#", "http://[::1/", 5, None]
    )
    def test_an_unusable_redirect_uri(self, uri: Any) -> None:
        """The redirect URI is absolute and has no fragment."""
        with pytest.raises(ArgumentError, match="redirect_uri"):
            authorization_request(client_id="a", redirect_uri=uri)


class TestRedirect:
    def test_a_stored_request_that_was_not_restored(self) -> None:
        """The error says how."""
        stored: Any = REQUEST.as_dict()

        with pytest.raises(ArgumentError, match=r"AuthorizationRequest\(\*\*stored\)"):
            code_in(stored, GOOD)

    @pytest.mark.parametrize(
        "redirect",
        [
            GOOD,
            urlencode(GOOD),
            f"{urlencode(GOOD)}&more=a?b",
            f"error_uri=https://a/b?c=d&{urlencode(GOOD)}",
            f"?{urlencode(GOOD)}",
            f"/back?{urlencode(GOOD)}",
            f"https://app.example/back;v=1?a=1&{urlencode(GOOD)}#x",
        ],
        ids=["mapping", "query", "query with ?", "query with a URL", "after ?", "path", "url"],
    )
    def test_a_code(self, redirect: Any) -> None:
        """The code is read from a URL, a query or its values."""
        assert code_in(REQUEST, redirect) == "c0de"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"state": "other"}, "state_mismatch"),
            ({"state": ""}, "state_mismatch"),
            ({"state": REQUEST.state + "x"}, "state_mismatch"),
            ({"state": "ü\ud800"}, "state_mismatch"),
            ({"state": "x", "error": "access_denied"}, "state_mismatch"),
            ({"iss": "https://evil.example"}, "issuer_mismatch"),
            ({"iss": ""}, "issuer_mismatch"),
            ({"iss": "https://evil.example", "error": "access_denied"}, "issuer_mismatch"),
            ({"error": "access_denied"}, "access_denied"),
            ({"error": "server_error", "error_description": "later"}, "server_error"),
        ],
    )
    def test_an_error_in_the_redirect(self, changes: dict[str, str], code: str) -> None:
        """A redirect of another request, or one that reports an error, is an AuthenticationError with its code."""
        with pytest.raises(AuthenticationError) as caught:
            code_in(REQUEST, {**GOOD, **changes})

        assert (caught.value.code, caught.value.status_code, caught.value.is_retry_safe) == (code, 400, False)
        assert REQUEST.state not in str(caught.value)

    @pytest.mark.parametrize("missing", ["state", "iss"])
    def test_a_redirect_that_cannot_be_checked(self, missing: str) -> None:
        """State and issuer must be there: the platform always sends both (RFC 9207 section 2.4)."""
        with pytest.raises(AuthenticationError, match="mismatch"):
            code_in(REQUEST, {name: value for name, value in GOOD.items() if name != missing})

    def test_the_description_of_an_error_is_printable(self) -> None:
        """The description is shown to the user, without control characters and limited in length."""
        query = {**GOOD, "error": "access_denied", "error_description": "no\x1b[2J\r\n" + "x" * 9999}

        with pytest.raises(AuthenticationError) as caught:
            code_in(REQUEST, query)

        assert caught.value.message == ("no[2J" + "x" * 9999)[:500]

    @pytest.mark.parametrize(
        "redirect",
        [
            {"state": REQUEST.state, "iss": ORIGIN},
            {**GOOD, "code": ""},
            f"{urlencode(GOOD)}&code=other",
            f"state=x&{urlencode(GOOD)}",
            f"https://[app/back?{urlencode(GOOD)}",
        ],
    )
    def test_a_redirect_without_a_single_code(self, redirect: Any) -> None:
        """Without a code, or with two, there is nothing to exchange."""
        with pytest.raises(ResponseError):
            code_in(REQUEST, redirect)

    @pytest.mark.parametrize("redirect", NO_REDIRECTS, ids=repr)
    def test_values_that_are_not_a_redirect(self, redirect: Any) -> None:
        """Values as lists or bytes are refused, rather than compared wrongly."""
        with pytest.raises(ArgumentError, match="each a str"):
            code_in(REQUEST, redirect)

    @given(
        st.one_of(st.text(), st.text().map(lambda text: f"https://a/?{text}"), st.dictionaries(st.text(), st.text()))
    )
    def test_any_redirect_gives_a_code_or_an_sdk_error(self, redirect: Any) -> None:
        """Whatever a browser brings, only errors of the SDK are raised."""
        with pytest.raises(RedcoreError):
            code_in(REQUEST, redirect)


class TestExchange:
    def test_the_code_becomes_tokens(self) -> None:
        """RFC 6749 section 4.1.3 with the verifier of RFC 7636; a public client names itself."""
        world = World(tokens(scope="users:read"), credentials=APP)

        pair = world.run(code_grant(REQUEST, "c0de")(world.engine, CallOptions()))

        assert form(world.requests[0]) == {
            "grant_type": "authorization_code",
            "code": "c0de",
            "redirect_uri": "https://app.example/back?a=1",
            "code_verifier": REQUEST.code_verifier,
            "client_id": "app_1",
        }
        assert pair == TokenSet(
            access_token="access-2",
            refresh_token="refresh-2",
            expires_at=START + 3600,
            scope="users:read",
            issued_at=START,
        )

    def test_a_refused_code(self) -> None:
        """A dead code is an AuthenticationError after one request; secrets that a server echoes are not shown."""
        echo = f"bad: {REQUEST.code_verifier} and code-of-more-than-16"
        world = World(answer(400, {"error": "invalid_grant", "error_description": echo}), credentials=APP)

        with pytest.raises(AuthenticationError) as caught:
            world.run(code_grant(REQUEST, "code-of-more-than-16")(world.engine, CallOptions()))

        assert (caught.value.code, world.slept) == ("invalid_grant", [])
        assert caught.value.message == "bad: [secret] and [secret]"
        assert REQUEST.code_verifier not in caught.value.response.text

    def test_a_connection_that_breaks(self) -> None:
        """The exchange is retried like any call: a lost code cannot be used again either way."""
        world = World(NetworkError("reset"), tokens(), credentials=APP)

        world.run(code_grant(REQUEST, "c0de")(world.engine, CallOptions()))

        assert world.slept == [1.0]
