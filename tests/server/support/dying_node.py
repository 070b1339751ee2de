"""A node that is killed between the commit of a removal and the revocation of the tokens; run as a program by a test.

Just before the commit it issues a token, which only the step after the commit, or the job, can revoke.
Arguments: database URL, Redis URL, API key, client id, client secret, method, path, body.
Prints each token it issues.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import attrs
import httpx
from tests.server.support.callers import gateway_before
from tests.server.support.nodes import node
from tests.server.support.tenants import ISSUER, Addresses

from redcore_server import api
from redcore_server.api.shares import Shares
from redcore_server.auth.app import Auth
from redcore_server.cdn import Cdn
from redcore_server.clock import Clock
from redcore_server.contract import spec
from redcore_server.process import assembly
from redcore_server.settings import Settings
from redcore_server.store import open_stores
from redcore_server.store.objects import open_objects


def fatal(
    auth: Auth, revoke: Callable[[str], Awaitable[int]], basic: httpx.BasicAuth
) -> Callable[[str], Awaitable[int]]:
    """Return a revocation that issues a token after it, and kills the process when called again."""
    asked: set[str] = set()

    async def revoking(identifier: str) -> int:
        if identifier in asked:
            os.kill(os.getpid(), signal.SIGKILL)
        asked.add(identifier)
        ended = await revoke(identifier)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(auth.app), base_url=ISSUER) as http:
            answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=basic)
        print(answer.json()["access_token"], flush=True)  # noqa: T201 - how the test learns it
        return ended

    return revoking


async def main() -> None:
    database_url, redis_url, key, client_id, secret, method, path, body = sys.argv[1:]
    clock, contract, basic = Clock(), spec.load(), httpx.BasicAuth(client_id, secret)
    addresses = Addresses(database_url, redis_url)
    async with open_stores(database_url, redis_url) as stores, node(addresses, stores, clock) as auth:
        services = attrs.evolve(
            assembly.services(Settings(), stores, open_objects(Settings())),
            revoke_user=fatal(auth, auth.revocation.revoke_user, basic),
            revoke_client=fatal(auth, auth.revocation.revoke_client, basic),
        )
        app = gateway_before(
            api.build(spec=contract, stores=stores, clock=clock, services=services, shares=Shares(20)),
            Cdn(stores.postgres, services.objects),
            stores=stores,
            auth=auth,
            clock=clock,
            settings=Settings(),
        )
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER, headers=headers) as caller:
            await caller.request(method, path, content=body)


if __name__ == "__main__":
    asyncio.run(main())
