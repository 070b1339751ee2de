"""Arguments of clients for the seeded credentials of a platform that was started for tests."""

from __future__ import annotations

from typing import TypedDict


class ApiKeyArguments(TypedDict):
    """Arguments of `Client`, for an API key."""

    base_url: str
    api_key: str


class ApplicationArguments(TypedDict):
    """Arguments of `Client`, for an OAuth application."""

    base_url: str
    client_id: str
    client_secret: str
