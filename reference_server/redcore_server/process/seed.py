"""Creates an organisation ready for use: an admin who can sign in, an application and an API key."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from redcore_server.auth.credentials.api_keys import create_api_key
from redcore_server.auth.credentials.applications import create_application, new_client_secret
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.secret import new_secret
from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.process.seed_credentials import Credentials
from redcore_server.store.postgres import AsyncPostgres, queries

FIRST_ORGANISATION = "Example Organisation"
ADMIN_EMAIL = "admin@example.com"
LOOPBACK = "http://127.0.0.1/callback"  # the SDK's callback address for a browser login, on any port
_QUERIES = queries("seed")


async def seed(connection: AsyncPostgres, *, organisation: str, scopes: Iterable[str], clock: Clock) -> Credentials:
    """Create an organisation on the enterprise plan, in the caller's transaction.

    Args:
        connection: Connection to a migrated database.
        organisation: Its name.
        scopes: Scopes its application may request; its API key has the role `admin`.
    """
    organisation_id, owner_id = new_id("org"), new_id("usr")
    now = clock.now()
    await connection.execute(_QUERIES["add_organisation"], {"id": organisation_id, "name": organisation, "now": now})
    password = new_secret()
    admin = {"id": owner_id, "organisation_id": organisation_id, "now": now, "email": ADMIN_EMAIL}
    await connection.execute(_QUERIES["add_admin"], {**admin, "password_hash": await Passwords().hash(password)})
    client_secret = new_client_secret()
    application = await create_application(
        connection,
        organisation_id=organisation_id,
        owner_id=owner_id,
        name="Example application",
        scopes=sorted(scopes),
        redirect_uris=[LOOPBACK],
        secret=client_secret,
        now=now,
    )
    _, api_key = await create_api_key(
        connection,
        organisation_id=organisation_id,
        owner_id=owner_id,
        name="Example key",
        scopes=["admin"],
        mode="test",
        now=now,
    )
    return Credentials(
        api_key=api_key,
        client_id=application["id"],
        client_secret=client_secret,
        admin_email=ADMIN_EMAIL,
        admin_password=password,
    )


async def seed_if_empty(
    connection: AsyncPostgres, *, scopes: Iterable[str], clock: Clock, save: Callable[[Credentials], None]
) -> Credentials | None:
    """Create the first organisation of a database, exactly once even if several servers start on it together.

    Args:
        connection: Connection to a migrated database, outside a transaction.
        scopes: See `seed`.
        save: Saves the credentials; called before they become valid, so that they cannot be lost.

    Returns:
        The credentials, or None if an organisation already existed.
    """
    async with connection.transaction():
        await connection.execute(_QUERIES["lock"])
        if await (await connection.execute(_QUERIES["any_organisation"])).fetchone():
            return None
        credentials = await seed(connection, organisation=FIRST_ORGANISATION, scopes=scopes, clock=clock)
        save(credentials)
        return credentials
