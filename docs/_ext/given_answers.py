"""A client whose answers are given, so that the examples of the documentation run without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from redcore import Client

META = {"request_id": "req_1", "version": "1.2.0"}
ADA = {
    "id": "usr_98765",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "role": "editor",
    "status": "active",
    "invitation_sent_at": "2026-01-15T10:00:02Z",
    "created_at": "2026-01-15T10:00:00Z",
    "updated_at": "2026-01-16T08:30:00Z",
}


def success(data: Any, status: int = 200, **meta: Any) -> httpx.Response:
    """An answer as the API gives it."""
    return httpx.Response(status, json={"data": data, "meta": {**META, **meta}})


def failure(status: int, code: str, message: str, *details: Any, **headers: str) -> httpx.Response:
    """An error as the API gives it."""
    error = {"code": code, "message": message, "docs": None, "details": details}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": error}, headers=names)


def answered(*answers: httpx.Response, **options: Any) -> Client:
    """A client that gets these answers, one a request."""
    rest: Iterator[httpx.Response] = iter(answers)
    http = httpx.Client(transport=httpx.MockTransport(lambda _: next(rest)))
    return Client(**{"api_key": "rk_test_1", **options}, http_client=http)
