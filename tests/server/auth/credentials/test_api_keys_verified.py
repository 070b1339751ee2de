"""API keys: their principal, and that every way to end one takes effect at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.server.support.tenants import Organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.api_keys import create_api_key
from redcore_server.auth.credentials.principal import Principal
from redcore_server.clock import Clock
from redcore_server.errors import InvalidToken, TokenExpired
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def key(stores: Stores, clock: Clock, organisation: Organisation) -> str:
    """Return a key that expires in a week."""
    async with stores.postgres.connection() as connection:
        row, key = await create_api_key(
            connection,
            organisation_id=organisation.id,
            owner_id=organisation.owner_id,
            name="Nightly job",
            scopes=["products:read"],
            mode="live",
            now=clock.now(),
            expires_at=clock.now() + timedelta(days=7),
        )
    assert row["hint"] == key[-4:]
    assert "hash" not in row
    return key


async def change(stores: Stores, sql: bytes, *values: object) -> None:
    async with stores.postgres.connection() as connection:
        await connection.execute(sql, values)


async def test_key_stands_for_its_owner(auth: Auth, key: str, organisation: Organisation) -> None:
    """A key is `rk_live_` and 43 characters, and gives the gateway its principal."""
    principal = await auth.verifier.verify(key)

    assert key.startswith("rk_live_")
    assert len(key) == len("rk_live_") + 43
    assert principal == Principal(
        kind="api_key",
        credential_id=principal.credential_id,
        organisation_id=organisation.id,
        owner_id=organisation.owner_id,
        client_id=None,
        scopes=frozenset({"products:read"}),
        plan="free",
        expires_at=principal.expires_at,
    )
    assert principal.credential_id.startswith("key_")


@pytest.mark.parametrize("bearer", ["rk_live_unknown", "rk_", "rk_test_\0", "rk_live_ü"])
async def test_unknown_keys_are_refused(auth: Auth, bearer: str) -> None:
    """A key that was never issued is invalid, whatever it contains."""
    with pytest.raises(InvalidToken):
        await auth.verifier.verify(bearer)


async def test_key_expires(auth: Auth, key: str, clock: Clock) -> None:
    """A key past its expiry is refused as expired."""
    clock.advance(timedelta(days=7).total_seconds())

    with pytest.raises(TokenExpired):
        await auth.verifier.verify(key)


async def test_revoked_key_ends_at_once(auth: Auth, stores: Stores, key: str, clock: Clock) -> None:
    """Nothing is cached, and a node whose clock is behind refuses it too."""
    await auth.verifier.verify(key)

    await change(stores, b"update api_keys set revoked_at = %s", clock.now() + timedelta(minutes=1))

    with pytest.raises(InvalidToken):
        await auth.verifier.verify(key)


@pytest.mark.parametrize(
    "sql", [b"update users set status = 'inactive' where id = %s", b"delete from users where id = %s"]
)
async def test_key_ends_with_its_owner(
    auth: Auth, stores: Stores, key: str, organisation: Organisation, sql: bytes
) -> None:
    """The key of a user who is inactive or deleted is refused."""
    await change(stores, sql, organisation.owner_id)

    with pytest.raises(InvalidToken):
        await auth.verifier.verify(key)


def test_admin_allows_every_scope() -> None:
    """A principal allows the scopes it has, and with `admin` all."""
    reader = Principal("api_key", "key_1", "org_1", "usr_1", None, frozenset({"users:read"}), "free")
    admin = Principal("api_key", "key_1", "org_1", "usr_1", None, frozenset({"admin"}), "free")

    allowed = [principal.allows(scope) for principal in (reader, admin) for scope in ("users:read", "users:write")]

    assert allowed == [True, False, True, True]
