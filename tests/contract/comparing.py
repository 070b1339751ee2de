"""The fake and the server side by side, and what must be equal in their answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx
import orjson

from redcore.testing import FakeBlueRound, ReferenceServer

Platform: TypeAlias = FakeBlueRound | ReferenceServer
FORM = {"content-type": "application/x-www-form-urlencoded"}
COMPARED = (
    *("x-ratelimit-limit", "allow", "www-authenticate", "content-type", "cache-control", "idempotent-replayed"),
    "retry-after",
)


def both(server: ReferenceServer) -> Iterator[Platform]:
    """The server and then a fake, which takes the calls of all clients while it is active; on fresh data."""
    server.lab.reset()
    yield server
    with FakeBlueRound() as fake:
        yield fake


def essence(answer: httpx.Response) -> dict[str, Any]:
    """Return what must be equal in an answer: status, code, message, the fields with errors or of `meta`, headers."""
    about: dict[str, Any] = {name: answer.headers.get(name) for name in COMPARED}
    about |= {"status": answer.status_code, "echoed": answer.headers["x-request-id"].startswith("3F2504E0")}
    if answer.content and answer.headers["content-type"] == "application/json":
        body = orjson.loads(answer.content)
        error = body.get("error")
        about["meta"] = sorted(body.get("meta", ()))
        about["error"] = (error["code"], error["message"]) if isinstance(error, dict) else error
        about["fields"] = sorted({each["field"] for each in error["details"]}) if isinstance(error, dict) else []
    return about
