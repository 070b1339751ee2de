"""Tenants of the server's tests: organisations, their applications, and the addresses in their tokens."""

from __future__ import annotations

from datetime import timedelta

import attrs
import httpx

from redcore_server.auth.credentials.applications import create_application, new_client_secret
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.ids import new_id
from redcore_server.store import Stores

ISSUER = "http://127.0.0.1:4010"
AUDIENCE = f"{ISSUER}/v1"
SIGNING_KEY_PERIOD = timedelta(days=90)
SCOPES = spec.load().scope_meanings


@attrs.frozen
class Addresses:
    """The addresses of the real stores."""

    database_url: str = attrs.field(repr=False)
    redis_url: str = attrs.field(repr=False)


@attrs.frozen
class Organisation:
    """A separate organisation for one test, with an active admin."""

    id: str
    owner_id: str


@attrs.frozen
class Client:
    """An application and its secret."""

    id: str
    secret: str = attrs.field(repr=False)

    @property
    def basic(self) -> httpx.BasicAuth:
        """The header of `client_secret_basic`."""
        return httpx.BasicAuth(self.id, self.secret)


async def make_organisation(stores: Stores, clock: Clock, *, plan: str = "free") -> Organisation:
    """Insert an organisation with an active admin."""
    organisation = Organisation(new_id("org"), new_id("usr"))
    values = {"org": organisation.id, "usr": organisation.owner_id, "plan": plan, "now": clock.now()}
    async with stores.postgres.connection() as connection:
        await connection.execute("insert into organisations values (%(org)s, 'Test', %(plan)s, %(now)s)", values)
        await connection.execute(
            """insert into users (id, organisation_id, email, email_key, name, role, status, accepted_at,
                                  created_at, updated_at)
               values (%(usr)s, %(org)s, 'ada@example.com', 'ada@example.com', 'Ada', 'admin', 'active',
                       %(now)s, %(now)s, %(now)s)""",
            values,
        )
    return organisation


async def make_client(
    stores: Stores,
    clock: Clock,
    organisation: Organisation,
    scopes: tuple[str, ...] = ("users:read", "users:write"),
) -> Client:
    """Register an application of that organisation."""
    secret = new_client_secret()
    async with stores.postgres.connection() as connection:
        row = await create_application(
            connection,
            organisation_id=organisation.id,
            owner_id=organisation.owner_id,
            name="Nightly job",
            scopes=scopes,
            secret=secret,
            now=clock.now(),
        )
    return Client(row["id"], secret)


def days(number: float) -> float:
    """Return that many days in seconds."""
    return timedelta(days=number).total_seconds()


async def new_token(http: httpx.AsyncClient, client: Client) -> str:
    """Return an access token of an application's own."""
    response = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client.basic)
    return str(response.json()["access_token"])
