"""Sessions over a real connection: from a code, stored tokens or an assertion to logging out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Reply, Seen, pair, reply, user

from redcore import AsyncClient, AuthenticationError, Client, ConfigurationError, MemoryCache, TokenSet, login
from redcore._resources.auth import AsyncAuth, Auth

XML = "<Assertion/>"


@pytest.fixture
def kind(call: Colour) -> Any:
    """The client class of the colour."""
    return Client if call.name == "sync" else AsyncClient


def test_a_web_application(log_in: Callable[..., Any], server: Loopback) -> None:
    """The request is stored, restored with the redirect, and exchanged for tokens; the secret authenticates."""
    begun = login.authorization_request(
        client_id="app_1", redirect_uri="https://app.example/back", base_url=server.base_url
    )
    stored: Any = begun.as_dict()
    server.script(pair(1))

    tokens = log_in(
        "exchange_code",
        login.AuthorizationRequest(**stored),
        {"code": "c0de", "state": begun.state, "iss": server.origin},
        client_secret="s3cret",
    )

    assert tokens.refresh_token == "refresh-1"
    assert server.seen[0].headers["authorization"].startswith("Basic ")
    assert server.seen[0].form["code_verifier"] == begun.code_verifier


def test_a_given_http_client(call: Colour, log_in: Callable[..., Any], server: Loopback) -> None:
    """It is used for the exchange, and stays open."""
    begun = login.authorization_request(client_id="a", redirect_uri="https://a", base_url=server.base_url)
    http: Any = httpx.Client() if call.name == "sync" else httpx.AsyncClient()
    server.script(pair(1))

    log_in("exchange_code", begun, f"?code=c&state={begun.state}&iss={server.origin}", http_client=http)

    assert not http.is_closed
    call(http.close if call.name == "sync" else http.aclose)


def test_from_tokens(call: Colour, kind: Any, server: Loopback) -> None:
    """Tokens of any login make a client."""
    server.script(user())
    client = kind.from_tokens(TokenSet(access_token="access-1"), client_id="app_1", base_url=server.base_url)

    assert call(client.users.get, "usr_1").email == "ada@example.com"
    assert server.seen[0].headers["authorization"] == "Bearer access-1"
    call.close(client)


def test_from_tokens_that_were_not_restored(kind: Any) -> None:
    """The error says how a stored dict becomes tokens again."""
    with pytest.raises(ConfigurationError, match=r"restore stored ones: TokenSet\(\*\*stored\)"):
        kind.from_tokens({"access_token": "access-1"}, client_id="app_1")


@pytest.mark.parametrize("assertion", [XML, XML.encode()])
def test_from_saml_assertion(call: Colour, kind: Any, server: Loopback, assertion: str | bytes) -> None:
    """The client is logged in when it is made, and its first pair is reported and cached."""
    pairs: list[dict[str, Any]] = []
    cache = MemoryCache()
    server.script(pair(1), user())

    client = call(
        kind.from_saml_assertion,
        assertion=assertion,
        client_id="app_1",
        base_url=server.base_url,
        token_cache=cache,
        on_token_refreshed=pairs.append,
    )

    assert call(client.users.get, "usr_1").id == "usr_1"
    assert server.seen[0].form["assertion"] == "PEFzc2VydGlvbi8-"
    assert [tokens["refresh_token"] for tokens in pairs] == ["refresh-1"]
    assert repr(cache) == "MemoryCache(1 entries)"
    call.close(client)


def test_an_assertion_that_is_refused(call: Colour, kind: Any, server: Loopback) -> None:
    """The error is that of the token endpoint; a given HTTP client stays open."""
    server.script(reply({"error": "invalid_grant"}, 400))
    http: Any = httpx.Client() if call.name == "sync" else httpx.AsyncClient()

    with pytest.raises(AuthenticationError) as caught:
        call(
            kind.from_saml_assertion,
            assertion=XML,
            client_id="app_1",
            client_secret="s",
            base_url=server.base_url,
            http_client=http,
        )

    assert (caught.value.code, http.is_closed) == ("invalid_grant", False)
    call(http.close if call.name == "sync" else http.aclose)


def test_log_out_ends_the_session(call: Colour, make: Any, server: Loopback) -> None:
    """The client's own token is revoked, and clients beside it learn of it."""
    cache = MemoryCache()
    session = {"client_id": "app_1", "access_token": "access-1", "refresh_token": "refresh-1", "token_cache": cache}
    client, sibling = make(**session), make(**session)
    server.script(Reply(200))

    assert call(client.auth.log_out) is None

    assert server.seen[0].form == {"token": "refresh-1", "client_id": "app_1"}
    assert repr(cache) == "MemoryCache(0 entries)"
    for ended in (client, sibling):
        with pytest.raises(AuthenticationError, match="log in again"):
            call(ended.users.get, "usr_1")


def test_revoke_any_token(call: Colour, make: Any, server: Loopback) -> None:
    """With a token argument that one is revoked, and the session continues."""
    client = make(client_id="app_1", access_token="access-1")
    server.script(Reply(200), user())

    call(client.auth.revoke, token="other", token_type_hint="access_token")
    call(client.users.get, "usr_1")

    assert server.seen[0].form == {"token": "other", "token_type_hint": "access_token", "client_id": "app_1"}


def test_introspect(call: Colour, make: Any, server: Loopback) -> None:
    """Introspection needs the application's secret."""
    server.script(reply({"active": True, "scope": "users:read"}))

    assert call(make(client_id="a", client_secret="s").auth.introspect, token="t").scope == "users:read"


def test_a_public_client_refreshes(call: Colour, kind: Any, server: Loopback) -> None:
    """Without a secret the client id alone identifies the application."""

    def answer(seen: Seen) -> Reply:
        return pair(2) if seen.path == "/oauth/token" else user()

    server.answer = answer
    tokens = TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=0.0)
    client = kind.from_tokens(tokens, client_id="app_1", base_url=server.base_url)

    call(client.users.get, "usr_1")

    assert server.asked("/oauth/token")[0].form["client_id"] == "app_1"
    call.close(client)


def test_the_docstrings_of_both_colours() -> None:
    """`client.auth.log_out` is documented alike, except for the word `await`."""
    assert (AsyncAuth.log_out.__doc__ or "").replace("await client.", "client.") == Auth.log_out.__doc__
