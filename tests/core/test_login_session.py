"""User sessions: how one begins, continues, and ends with `client.auth.log_out()`."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import pytest
from tests.core.world import EXPIRED, GET, ORIGIN, START, World, answer, form, given, refusal, tokens, user

from redcore import (
    ArgumentError,
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    MemoryCache,
    NetworkError,
    RedcoreAPIError,
    ResponseError,
    TokenSet,
)
from redcore._call.config import configure_login
from redcore._call.credentials import Credentials, saml_bearer
from redcore._call.engine import CallOptions
from redcore._call.steps import Acquire
from redcore.login import LoginTimeoutError

PUBLIC = Credentials(client_id="app_1", personal=True)
CONFIDENTIAL = Credentials(client_id="app_1", client_secret="s3cret", personal=True)
SERVICE = Credentials(client_id="app_1", client_secret="s3cret")
PAIR = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=START + 3600)
XML = "<Assertion>ü</Assertion>"


def logged_in(*script: Any, credentials: Credentials = PUBLIC, cache: MemoryCache | None = None) -> World:
    world = World(*script, credentials=credentials, cache=cache)
    world.auth.resume(PAIR)
    return world


def log_out(world: World, **options: Any) -> None:
    world.run(world.engine.log_out(CallOptions(**options)))


class TestResume:
    def test_the_pair_is_used(self) -> None:
        """The first call is made with the access token, which is renewed before it expires."""
        world = logged_in(user(), tokens(), user())

        world.call(GET)
        world.time += 3600
        world.call(GET)

        assert world.paths == ["/v1/users/usr_1", "/oauth/token", "/v1/users/usr_1"]
        assert form(world.requests[1]) == {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-1",
            "client_id": "app_1",
        }

    def test_a_sibling_has_gone_on(self) -> None:
        """With a shared cache, tokens that another client renewed the same pair to are used."""
        cache = MemoryCache()
        logged_in(EXPIRED, tokens(), user(), cache=cache).call(GET)
        later = logged_in(user(), cache=cache)

        later.call(GET)

        assert later.requests[0].headers["Authorization"] == "Bearer access-2"

    def test_the_arguments_of_a_client_lead_to_the_same_session(self) -> None:
        """Client(access_token=…, refresh_token=…) and from_tokens share their entry in a cache."""
        given = Credentials(client_id="app_1", access_token="access-1", refresh_token="refresh-1")

        assert logged_in().key == given.key(ORIGIN)

    @pytest.mark.parametrize("pair", [("a\nb", None), ("access-1", "b c"), ("ü", None)])
    def test_invalid_stored_tokens(self, pair: tuple[str, str | None]) -> None:
        """A value that a header cannot hold is not a token; the message does not repeat it."""
        with pytest.raises(ConfigurationError, match="token that cannot be sent") as caught:
            World(credentials=PUBLIC).auth.resume(TokenSet(access_token=pair[0], refresh_token=pair[1]))

        assert pair[0] not in caught.value.message.split()

    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_an_option_that_does_not_exist(self, kind: Any) -> None:
        """A misspelt one is refused, as by the constructor."""
        with pytest.raises(TypeError, match=r"there is no option 'timout'; there are .*timeout"):
            kind.from_tokens(PAIR, client_id="app_1", timout=5)

    def test_the_application_never_stands_in_for_the_person(self) -> None:
        """When a session ends, a confidential application does not continue with its own credentials."""
        dead = answer(400, {"error": "invalid_grant", "error_description": "dead"})
        world = logged_in(EXPIRED, dead, credentials=CONFIDENTIAL)

        with pytest.raises(AuthenticationError, match="log in again") as caught:
            world.call(GET)

        assert (caught.value.code, len(world.sent)) == ("invalid_grant", 2)


class TestLogIn:
    def test_on_token_refreshed_gets_the_first_pair(self) -> None:
        """on_token_refreshed gets the pair of the login; calls then use it."""
        world = World(tokens(), user(), credentials=PUBLIC)

        world.run(world.engine.log_in(saml_bearer(XML, "users:read"), CallOptions()))
        world.call(GET)

        assert [pair["refresh_token"] for pair in world.notified] == ["refresh-2"]
        assert world.requests[1].headers["Authorization"] == "Bearer access-2"

    def test_a_session_without_on_token_refreshed(self) -> None:
        """Without on_token_refreshed the session begins all the same."""
        world = World(tokens(), user(), credentials=PUBLIC)
        world.auth._on_token_refreshed = None

        world.run(world.engine.log_in(saml_bearer(XML, None), CallOptions()))
        world.call(GET)

        assert world.requests[1].headers["Authorization"] == "Bearer access-2"

    def test_a_saml_assertion(self) -> None:
        """RFC 7522 section 2.1: the XML in base64url without padding."""
        world = World(tokens(), credentials=PUBLIC)

        world.run(world.engine.log_in(saml_bearer(XML, "users:read"), CallOptions()))

        assert form(world.requests[0]) == {
            "grant_type": "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "assertion": base64.urlsafe_b64encode(XML.encode()).decode().rstrip("="),
            "scope": "users:read",
            "client_id": "app_1",
        }

    def test_bytes_are_sent_as_they_are(self) -> None:
        """Signed bytes are not decoded on their way."""
        raw = XML.encode("utf-16")

        sent = str((saml_bearer(raw, None).body or {})["assertion"])

        assert base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4)) == raw

    @pytest.mark.parametrize("assertion", ["", base64.b64encode(XML.encode()), base64.b64encode(XML.encode()).decode()])
    def test_an_assertion_that_is_already_encoded(self, assertion: Any) -> None:
        """A form value in place of XML is refused before it is sent."""
        with pytest.raises(ArgumentError, match="XML"):
            saml_bearer(assertion, None)

    @pytest.mark.parametrize("assertion", [None, 7])
    def test_an_assertion_that_is_no_text(self, assertion: Any) -> None:
        """A form without the value is refused before it is sent."""
        with pytest.raises(ArgumentError, match="assertion must be a string or bytes, not"):
            saml_bearer(assertion, None)

    def test_a_refused_assertion(self) -> None:
        """The server's refusal has its code, and never the assertion."""
        sent = (saml_bearer(XML, None).body or {})["assertion"]
        world = World(answer(400, {"error": "invalid_grant", "error_description": f"not {sent}"}), credentials=PUBLIC)

        with pytest.raises(AuthenticationError) as caught:
            world.run(world.engine.log_in(saml_bearer(XML, None), CallOptions()))

        assert (caught.value.code, caught.value.message) == ("invalid_grant", "not [secret]")

    def test_an_answer_that_is_not_a_token_pair(self) -> None:
        """Tokens that no header can hold are refused; the error does not keep them."""
        world = World(tokens(access="a\r\nb"), credentials=PUBLIC)

        with pytest.raises(ResponseError) as caught:
            world.run(world.engine.log_in(saml_bearer(XML, None), CallOptions()))

        assert caught.value.response is not None
        assert caught.value.response.content == b""
        assert world.notified == []

    def test_a_lifetime_that_no_float_can_hold(self) -> None:
        """An integer of any length is a lifetime; none raises an OverflowError."""
        world = World(tokens(expires_in=10**400), credentials=PUBLIC)

        world.run(world.engine.log_in(saml_bearer(XML, None), CallOptions()))

        assert world.notified[0]["expires_at"] == START + 2**53


class TestLogOut:
    def test_the_refresh_token_is_revoked_and_forgotten(self) -> None:
        """RFC 7009; the access tokens end with it on the server."""
        world = logged_in(answer(200))

        log_out(world)

        assert world.paths == ["/oauth/revoke"]
        assert form(world.requests[0]) == {"token": "refresh-1", "client_id": "app_1"}
        assert world.held is None

    def test_after_logging_out_the_user_must_log_in_again(self) -> None:
        """The next call says so, without being sent."""
        world = logged_in(answer(200))
        log_out(world)

        with pytest.raises(AuthenticationError, match="the session has ended, log in again") as caught:
            world.call(GET)

        assert (caught.value.status_code, len(world.sent)) == (401, 1)
        assert caught.value.request_id is not None

    def test_an_access_token_alone(self) -> None:
        """Without a refresh token the access token is revoked."""
        world = World(answer(200), credentials=Credentials(client_id="app_1", access_token="access-1"))

        log_out(world)

        assert form(world.requests[0])["token"] == "access-1"

    def test_client_credentials_start_again(self) -> None:
        """A service ends its session, and starts another with its next call."""
        world = World(tokens(), user(), answer(200), tokens("access-3"), user(), credentials=SERVICE)

        world.call(GET)
        log_out(world)
        world.call(GET)

        assert form(world.requests[2]) == {"token": "refresh-2"}
        assert world.requests[-1].headers["Authorization"] == "Bearer access-3"

    def test_nothing_to_end(self) -> None:
        """Before the first call, and a second time, nothing is sent."""
        world = World(credentials=SERVICE)

        log_out(world)

        assert world.sent == []

    def test_a_server_that_is_away(self) -> None:
        """A pair that could not be revoked is kept, so that it can be tried again."""
        world = logged_in(refusal(503), NetworkError("x"), refusal(503), answer(200))

        with pytest.raises(RedcoreAPIError):
            log_out(world)
        assert world.slept == [1.0, 2.0]
        assert world.held == PAIR

        log_out(world)
        assert world.held is None

    def test_an_api_key_cannot_log_out(self) -> None:
        """A key has no session; the error says how a key is revoked."""
        with pytest.raises(ConfigurationError, match=r"client\.api_keys\.revoke") as caught:
            log_out(World())

        assert caught.value.request_id is not None

    def test_tokens_of_an_unknown_application(self) -> None:
        """Without a client id nothing can be revoked, and the pair is kept."""
        world = World(credentials=Credentials(refresh_token="refresh-1"))

        with pytest.raises(ConfigurationError, match="needs client_id"):
            log_out(world)

        assert world.held is not None

    def test_a_renewal_under_way_is_waited_for(self) -> None:
        """Otherwise the pair that it brings would outlive the session."""
        world = logged_in()

        step = next(world.engine.log_out(CallOptions()))

        assert isinstance(step, Acquire)

    def test_a_deadline_during_a_renewal(self) -> None:
        """Waiting for a renewal ends with the call's deadline."""
        world = logged_in()
        world.lock.acquire()

        with pytest.raises(NetworkError, match="deadline"):
            log_out(world, deadline_s=1.0)


class TestApplication:
    @pytest.mark.parametrize(
        ("env", "options", "secret"),
        [
            ({}, {"client_id": "a"}, None),
            ({}, {"client_id": "a", "client_secret": "s"}, "s"),
            ({"REDCORE_CLIENT_ID": "e", "REDCORE_CLIENT_SECRET": "es"}, {}, "es"),
            ({"REDCORE_CLIENT_ID": "e", "REDCORE_CLIENT_SECRET": "es"}, {"client_id": "e"}, "es"),
            ({"REDCORE_CLIENT_ID": "e", "REDCORE_CLIENT_SECRET": "es"}, {"client_id": "a"}, None),
        ],
    )
    def test_the_secret_belongs_to_its_application(
        self, env: dict[str, str], options: dict[str, str], secret: str | None
    ) -> None:
        """A secret of the environment is only sent for the application of the environment."""
        assert configure_login(given(**options), env).credentials.client_secret == secret

    def test_no_application(self) -> None:
        """A login needs a client id; an API key of the environment does not help."""
        with pytest.raises(ConfigurationError, match="client_id is missing"):
            configure_login(given(), {"REDCORE_API_KEY": "rk_test_1"})


def test_a_timeout_pickles() -> None:
    """LoginTimeoutError can be pickled like every error of the SDK."""
    error = LoginTimeoutError(9.0)

    twin = pickle.loads(pickle.dumps(error))  # noqa: S301

    assert (str(twin), type(twin)) == (str(error), LoginTimeoutError)
