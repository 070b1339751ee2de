"""What the judge refuses: a check that cannot fail says nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError
from tests.answers import META
from tests.contract.judge import HOST, Judge

BEARER = {"Authorization": "Bearer access-1"}
USER = {"email": "ada@example.com", "name": "Ada"}
KEY = {"name": "ci", "scopes": ["users:read"]}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def request(method: str, path: str, **more: Any) -> httpx.Request:
    """A request whose body has been read."""
    made = httpx.Request(method, f"{HOST}{path}", **more)
    made.read()
    return made


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1/users?include_total=true&limit=5", {"headers": BEARER}),
        ("POST", "/v1/users", {"headers": BEARER, "json": USER}),
        ("POST", "/v1/api-keys", {"headers": BEARER, "json": {**KEY, "expires_at": "2027-01-01T00:00:00+05:30"}}),
        ("POST", "/v1/api-keys", {"headers": BEARER, "json": {**KEY, "expires_at": None}}),
        ("POST", "/v1/files", {"headers": BEARER, "files": {"file": ("a", b"b")}}),
        ("POST", "/oauth/token", {"data": {"grant_type": "refresh_token", "client_id": "app_1"}}),
        ("POST", "/oauth/introspect", {"headers": {"Authorization": "Basic YTpi"}, "data": {"token": "a"}}),
    ],
)
def test_a_valid_request_is_accepted(judge: Judge, method: str, path: str, more: dict[str, Any]) -> None:
    """A judge that refuses everything says nothing either."""
    judge.rule_request(request(method, path, **more))


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1/users", {}),
        ("GET", "/v1/users", {"headers": {"Authorization": "Basic YTpi"}}),
        ("GET", "/.well-known/jwks.json", {"headers": BEARER}),
        ("POST", "/oauth/introspect", {"data": {"token": "a"}}),
        ("GET", "/v1/users?lmit=5", {"headers": BEARER}),
        ("GET", "/v1/users?limit=5&limit=5", {"headers": BEARER}),
        ("GET", "/v1/users?limit=five", {"headers": BEARER}),
        ("GET", "/v1/users?include_total=True", {"headers": BEARER}),
        ("GET", "/v1/users?role=boss", {"headers": BEARER}),
        ("GET", "/v1/users", {"headers": BEARER, "json": {}}),
        ("GET", "/v1/users", {"headers": {**BEARER, "Content-Type": "application/json"}}),
        ("GET", "/v1/users?role=Role.ADMIN", {"headers": BEARER}),
        ("GET", "/v1/users?role=admin,viewer", {"headers": BEARER}),
        ("POST", "/v1/api-keys", {"headers": BEARER, "json": {**KEY, "expires_at": "2027-01-01T00:00:00"}}),
        ("GET", "/v1/people", {"headers": BEARER}),
        ("POST", "/v1/users", {"headers": BEARER, "json": {"name": "Ada"}}),
        ("POST", "/v1/users", {"headers": BEARER, "json": {**USER, "age": 36}}),
        ("POST", "/v1/users", {"headers": BEARER, "json": {**USER, "role": None}}),
        ("POST", "/v1/users", {"headers": {**BEARER, "Idempotency-Key": "two words"}, "json": USER}),
        ("POST", "/v1/users", {"headers": BEARER, "data": USER}),
        ("POST", "/v1/users", {"headers": BEARER}),
        ("POST", "/v1/files", {"headers": BEARER, "files": {"file": ("a", b"b"), "colour": (None, b"red")}}),
        ("POST", "/v1/files", {"headers": BEARER, "files": {"name": (None, b"a")}}),
        ("POST", "/oauth/token", {"json": {"grant_type": "refresh_token"}}),
    ],
)
def test_a_violation_is_refused(judge: Judge, method: str, path: str, more: dict[str, Any]) -> None:
    """In credentials, path, query, headers and body."""
    with pytest.raises((OpenAPIError, AssertionError)):
        judge.rule_request(request(method, path, **more))


ME = {
    "id": "usr_1",
    "email": "ada@example.com",
    "name": "Ada",
    "role": "admin",
    "status": "active",
    "invitation_sent_at": None,
    "created_at": "2026-01-15T10:00:00Z",
    "updated_at": "2026-01-15T10:00:00Z",
}
HEADERS = {
    "X-Request-ID": "0e1f4d52-3a53-4a55-9c67-5a4a2ea2dd50",
    "X-RateLimit-Limit": "60",
    "X-RateLimit-Remaining": "59",
    "X-RateLimit-Reset": "1700000000",
}


@pytest.mark.parametrize(
    ("status", "payload", "headers", "is_right"),
    [
        (200, {"data": ME, "meta": META}, {}, True),
        (200, {"data": {**ME, "email": None}, "meta": META}, {}, False),
        (200, {"data": {**ME, "created_at": "2026-01-15T10:00:00"}, "meta": META}, {}, False),
        (200, {"data": {name: value for name, value in ME.items() if name != "role"}, "meta": META}, {}, False),
        (200, {"data": ME}, {}, False),
        (200, {"data": ME, "meta": META}, {"X-RateLimit-Limit": "many"}, False),
        (200, {"data": ME, "meta": META}, {"Content-Type": "text/html"}, False),
        (218, {"data": ME, "meta": META}, {}, False),
        (404, {"error": {"code": "RESOURCE_NOT_FOUND"}}, {}, False),
    ],
)
def test_an_answer_is_judged_too(
    judge: Judge, status: int, payload: dict[str, Any], headers: dict[str, str], *, is_right: bool
) -> None:
    """Status, content type, headers and body."""
    asked = request("GET", "/v1/me", headers=BEARER)
    answer = httpx.Response(status, json=payload, headers={**HEADERS, **headers}, request=asked)
    try:
        judge.rule(answer)
    except OpenAPIError:
        assert not is_right
    else:
        assert is_right
