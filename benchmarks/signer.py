"""The yardstick of `auth.py`: an endpoint that only signs a JWT, served as the reference server is."""

from __future__ import annotations

import socket
import time
import uuid

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KEY = RSAKey.generate_key(2048)


async def token(_: Request) -> JSONResponse:
    """Answer with an access token of the size that the reference server gives."""
    now = int(time.time())
    claims = {
        "iss": "http://127.0.0.1:4010",
        "sub": "app_0000000000000000000000",
        "aud": "http://127.0.0.1:4010/v1",
        "exp": now + 3600,
        "iat": now,
        "jti": uuid.uuid4().hex,
        "client_id": "app_0000000000000000000000",
        "scope": "users:read",
        "org": "org_0000000000000000000000",
        "gid": "grt_0000000000000000000000",
        "plan": "enterprise",
    }
    signed = jwt.encode({"typ": "at+jwt", "alg": "RS256", "kid": "bare"}, claims, KEY, algorithms=["RS256"])
    return JSONResponse({"access_token": signed, "token_type": "Bearer", "expires_in": 3600})


def main() -> None:
    """Serve on a free port of loopback, and print its address."""
    app = Starlette(routes=[Route("/oauth/token", token, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
