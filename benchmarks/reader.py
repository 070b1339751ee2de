"""The yardstick of `users.py`: a handler that only runs the SQL of `GET /v1/users/{id}`, on the same kind of pool.

It has no authentication and no rate limit, and is served as the reference server is.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from redcore_server.store.postgres import async_pool, connect, queries

URL = os.environ["DATABASE_URL"]
GET = queries("users")["get"]
POOL = async_pool(URL)


def organisation() -> str:
    """Return the id of the only organisation."""
    with connect(URL) as connection:
        row = connection.execute("select id from organisations").fetchone()
    assert row is not None  # noqa: S101 (the reference server has seeded it)
    return str(row[0])


ORGANISATION = organisation()


async def user(request: Request) -> Response:
    """Answer with a user."""
    parameters = {"id": request.path_params["user_id"], "organisation_id": ORGANISATION}
    async with POOL.connection() as connection:
        row = await (await connection.execute(GET, parameters)).fetchone()
    return Response(orjson.dumps({"data": row}), media_type="application/json")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the pool."""
    async with POOL:
        yield


def main() -> None:
    """Serve on a free port of loopback, and print its address."""
    app = Starlette(routes=[Route("/v1/users/{user_id}", user)], lifespan=lifespan)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
