"""The verifier against attackers, expiry, revocation and stores that are down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.server.support.tenants import AUDIENCE, ISSUER, SCOPES, Client, new_token

from redcore_server.auth.app import Auth
from redcore_server.auth.tokens.access_token import AccessTokens
from redcore_server.auth.tokens.reader import TokenReader
from redcore_server.auth.tokens.verifier import BearerVerifier
from redcore_server.clock import Clock
from redcore_server.errors import ApiError, InvalidToken, ServiceUnavailable
from redcore_server.http.render_error import status_of
from redcore_server.store import Stores
from redcore_server.store.postgres import async_pool
from redcore_server.store.redis import async_redis

pytestmark = pytest.mark.anyio


@pytest.fixture
async def token(http: httpx.AsyncClient, client: Client) -> str:
    return await new_token(http, client)


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = (json.loads(base64.urlsafe_b64decode(text + "==")) for text in token.split(".")[:2])
    return header, claims


async def refusal(auth: Auth, bearer: str) -> str:
    """Return the code with which a bearer token is refused."""
    with pytest.raises(ApiError) as caught:
        await auth.verifier.verify(bearer)
    assert status_of(caught.value) == 401
    return caught.value.code


async def test_changed_claims_are_refused(auth: Auth, token: str) -> None:
    """A scope written into the token after it was signed, or a swapped signature, is refused."""
    header, claims = parts(token)
    signature = token.rpartition(".")[2]

    wider = f"{part(header)}.{part({**claims, 'scope': 'admin'})}.{signature}"
    longer = f"{part(header)}.{part({**claims, 'exp': claims['exp'] + 9999})}.{signature}"
    flipped = token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:]

    assert [await refusal(auth, bad) for bad in (wider, longer, flipped)] == ["INVALID_TOKEN"] * 3


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
async def test_unsigned_tokens_are_refused(auth: Auth, token: str, algorithm: str) -> None:
    """`alg: none` in any spelling, with and without a signature part."""
    header, claims = parts(token)
    unsigned = f"{part({**header, 'alg': algorithm})}.{part(claims)}."

    assert await refusal(auth, unsigned) == "INVALID_TOKEN"
    assert await refusal(auth, unsigned + part(b"x")) == "INVALID_TOKEN"


@pytest.mark.parametrize("encoding", ["pem", "der"])
async def test_hmac_with_the_public_key_is_refused(auth: Auth, token: str, encoding: str) -> None:
    """The published key must not serve as a shared secret for HS256."""
    header, claims = parts(token)
    (jwk,) = [key for key in (await auth.keys.current()).jwks(Clock().now())["keys"] if key["kid"] == header["kid"]]
    public = RSAKey.import_key(dict(jwk))
    secret = public.as_pem(private=False) if encoding == "pem" else public.as_der(private=False)
    signed = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256)

    assert await refusal(auth, f"{signed}.{part(signature)}") == "INVALID_TOKEN"


async def test_foreign_keys_are_refused(auth: Auth, token: str) -> None:
    """An unknown `kid`, none at all, an attacker's key under our name, or one in the header."""
    header, claims = parts(token)
    key = RSAKey.generate_key(2048)
    public = key.as_dict(private=False)
    headers = [
        {**header, "kid": "unknown"},
        {"alg": "RS256", "typ": "at+jwt"},
        header,
        {**header, "jwk": public},
        {**header, "kid": "../../dev/null"},
        {**header, "kid": ["x"]},
    ]

    for forged in headers:
        signature_input = f"{part(forged)}.{part(claims)}"
        genuine = jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims, key)
        bad = f"{signature_input}.{genuine.rpartition('.')[2]}"
        assert await refusal(auth, bad) == "INVALID_TOKEN"
    assert await refusal(auth, jwt.encode(header, claims, key)) == "INVALID_TOKEN"


async def test_introspection_refuses_foreign_keys_too(http: httpx.AsyncClient, client: Client, token: str) -> None:
    """The auth service's own reader looks for an unknown key once more, and then reports the token as inactive."""
    header, claims = parts(token)
    foreign = jwt.encode({**header, "kid": "unknown"}, claims, RSAKey.generate_key(2048))

    response = await http.post("/oauth/introspect", data={"token": foreign}, auth=client.basic)

    assert response.json() == {"active": False}


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://api.example.com/v1"},
        {"aud": [AUDIENCE, "https://api.example.com/v1"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"exp": "tomorrow"},
        {"exp": None},
        {"iat": 1.5},
        {"gid": None},
        {"org": 7},
        {"scope": ["admin"]},
        {"jti": None},
    ],
)
async def test_claims_of_others_are_refused(auth: Auth, token: str, change: dict[str, object]) -> None:
    """Signed by our own key, but for another API, of another issuer, or of another form."""
    header, claims = parts(token)
    signer = (await auth.keys.current()).signer(Clock().now())

    bad = jwt.encode(header, {**claims, **change}, signer.key)

    assert await refusal(auth, bad) == "INVALID_TOKEN"


@pytest.mark.parametrize("kind", ["JWT", "logout+jwt", None])
async def test_other_kinds_of_jwt_are_refused(auth: Auth, token: str, kind: str | None) -> None:
    """RFC 9068 section 4: only `at+jwt` is an access token."""
    header, claims = parts(token)
    signer = (await auth.keys.current()).signer(Clock().now())
    forged = {name: value for name, value in {**header, "typ": kind}.items() if value is not None}

    assert await refusal(auth, jwt.encode(forged, claims, signer.key, default_type=None)) == "INVALID_TOKEN"


@pytest.mark.parametrize(
    "bearer",
    ["", ".", "..", "a.b.c", "ü.ü.ü", "x" * 10_000, "e30.e30.", "W10.W10.W10", part(b"[" * 5000) + ".e30.e30", "\0"],
)
async def test_any_text_is_refused(auth: Auth, bearer: str) -> None:
    """No text makes the verifier do more than refuse."""
    assert await refusal(auth, bearer) == "INVALID_TOKEN"


async def test_expired_token_says_so(auth: Auth, clock: Clock, token: str) -> None:
    """Past its hour a genuine token is expired; a forged one stays invalid."""
    clock.advance(3601)

    assert await refusal(auth, token) == "TOKEN_EXPIRED"
    assert await refusal(auth, token[:-8] + "AAAAAAAA") == "INVALID_TOKEN"


@pytest.fixture
async def lost(auth: Auth, stores: Stores, clock: Clock, addresses: object) -> AsyncIterator[BearerVerifier]:
    """Return a verifier whose Redis and PostgreSQL are down."""
    redis = async_redis("redis://:canary@127.0.0.1:1/0")
    postgres = async_pool("postgresql://postgres:canary@127.0.0.1:1/x", min_size=0)
    postgres.timeout = 0.2
    await postgres.open(wait=False)
    yield BearerVerifier(
        Stores(postgres, redis), TokenReader(AccessTokens(ISSUER, AUDIENCE), auth.keys, clock), clock, frozenset(SCOPES)
    )
    await postgres.close()
    await redis.aclose()


async def test_stores_away_are_never_a_pass(lost: BearerVerifier, token: str) -> None:
    """Without Redis no access token and without PostgreSQL no API key is accepted: 503."""
    for bearer in (token, "rk_live_whatever"):
        with pytest.raises(ServiceUnavailable) as caught:
            await lost.verify(bearer)
        assert caught.value.code == "SERVICE_UNAVAILABLE"
        assert "canary" not in repr(caught.value)


async def test_forged_tokens_are_refused_without_redis(lost: BearerVerifier, token: str) -> None:
    """A bad signature is refused without a store."""
    with pytest.raises(InvalidToken):
        await lost.verify(token[:-8] + "AAAAAAAA")
