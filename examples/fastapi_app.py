"""A FastAPI application with one AsyncClient, the platform's errors, and a login.

`redcore-server run -- uvicorn --app-dir examples fastapi_app:app`
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

from redcore import AsyncClient, NotFoundError, login

CALLBACK = "http://127.0.0.1:8000/callback"
logins: dict[
    str, login.AuthorizationRequest
] = {}  # by state; a shared store in production


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Keep one client, with its connections and tokens, for all requests."""
    async with AsyncClient() as client:
        app.state.redcore = client
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(NotFoundError)
async def not_found(_request: Request, error: NotFoundError) -> JSONResponse:
    """Answer a missing object with 404 and the request id."""
    return JSONResponse(
        {"detail": error.message, "request_id": error.request_id}, status_code=404
    )


@app.get("/products/{product_id}")
async def product(product_id: str, request: Request) -> Any:
    """Return a product of the platform."""
    client: AsyncClient = request.app.state.redcore
    return (await client.products.get(product_id)).to_dict()


@app.get("/login")
async def start() -> RedirectResponse:
    """Send the person to the platform."""
    asked = login.authorization_request(
        client_id=os.environ["REDCORE_CLIENT_ID"], redirect_uri=CALLBACK
    )
    logins[asked.state] = asked
    return RedirectResponse(asked.url)


@app.get("/callback")
async def callback(request: Request) -> dict[str, Any]:
    """Sign the person in, with tokens of their own."""
    asked = logins.pop(request.query_params["state"])
    secret = os.environ.get("REDCORE_CLIENT_SECRET")
    tokens = await login.exchange_code_async(
        asked, dict(request.query_params), client_secret=secret
    )
    async with AsyncClient.from_tokens(
        tokens, client_id=asked.client_id, client_secret=secret
    ) as client:
        return {"name": (await client.users.get_me()).name}
