"""The answers of the stub, by method and path: objects of about one size, in the form that each contestant expects."""

from __future__ import annotations

import json
from typing import Any

PAGE = 100
TOTAL = 10_000
META = {"request_id": "req_0123456789abcdef", "version": "1.2.0"}


def user(number: int) -> dict[str, Any]:
    """A user of the BlueRound platform."""
    return {
        "id": f"usr_{number:08d}",
        "email": f"user{number:04d}@example.com",
        "name": f"Test User {number:04d}",
        "role": ("admin", "editor", "viewer")[number % 3],
        "status": ("active", "pending_invite", "inactive")[number % 3],
        "invitation_sent_at": None,
        "created_at": f"2024-0{number % 9 + 1}-1{number % 10}T12:{number % 60:02d}:56.789012Z",
        "updated_at": f"2025-0{number % 9 + 1}-1{number % 10}T08:{number % 60:02d}:01.000001Z",
    }


def users(offset: int) -> dict[str, Any]:
    """A page of users."""
    meta = {**META, "total": TOTAL, "limit": PAGE, "offset": offset}
    return {"data": [user(number) for number in range(offset, offset + PAGE)], "meta": meta}


def openai_model(number: int) -> dict[str, Any]:
    """A model of the OpenAI API."""
    name = f"gpt-{number:04d}-a-model-with-a-name-of-some-length"
    return {"id": name, "object": "model", "created": 1700000000 + number, "owned_by": f"organization-{number:05d}"}


def stripe_customer(number: int) -> dict[str, Any]:
    """A customer of the Stripe API."""
    return {
        "id": f"cus_{number:012d}",
        "object": "customer",
        "created": 1700000000 + number,
        "email": f"user{number:04d}@example.com",
        "name": f"Test User {number:04d}",
        "livemode": False,
        "metadata": {},
        "balance": 0,
        "currency": "usd",
    }


def workos_user(number: int) -> dict[str, Any]:
    """A user of the WorkOS API."""
    return {
        "object": "user",
        "id": f"user_{number:08d}",
        "first_name": "Test",
        "last_name": f"User {number:04d}",
        "profile_picture_url": None,
        "email": f"user{number:04d}@example.com",
        "email_verified": True,
        "external_id": None,
        "last_sign_in_at": None,
        "created_at": "2024-01-01T12:00:00.000Z",
        "updated_at": "2024-01-01T12:00:00.000Z",
    }


def dynamodb_item(number: int) -> dict[str, Any]:
    """A user as an item of DynamoDB."""
    return {name: {"S": value} for name, value in user(number).items() if value is not None}


def many(make: Any) -> list[dict[str, Any]]:
    """Return as many objects as a page has."""
    return [make(number) for number in range(PAGE)]


ANSWERS: dict[str, Any] = {
    "GET /v1/users/usr_00000001": {"data": user(1), "meta": META},
    "GET /v1/users": users(0),
    "GET /v1/models/gpt-1": openai_model(1),
    "GET /v1/models": {"object": "list", "data": many(openai_model)},
    "GET /v1/customers/cus_1": stripe_customer(1),
    "GET /v1/customers": {"object": "list", "url": "/v1/customers", "has_more": True, "data": many(stripe_customer)},
    "GET /user_management/users/user_1": workos_user(1),
    "GET /user_management/users": {
        "object": "list",
        "data": many(workos_user),
        "list_metadata": {"before": None, "after": None},
    },
    "POST DynamoDB_20120810.GetItem": {"Item": dynamodb_item(1)},
    "POST DynamoDB_20120810.Scan": {"Count": PAGE, "ScannedCount": PAGE, "Items": many(dynamodb_item)},
}


def encoded(answer: Any) -> bytes:
    """Encode as JSON without needless spaces."""
    return json.dumps(answer, separators=(",", ":")).encode()
