"""An async client that the test closes, and the transports that asyncio has."""

from __future__ import annotations

from typing import Any

import pytest
from tests.client.loopback import Loopback

from redcore import AsyncClient

KEY = "rk_test_key"


ON_ASYNCIO = pytest.mark.parametrize("transport", [None, "httpcore", "aiohttp"])


def opened(server: Loopback, **options: Any) -> AsyncClient:
    return AsyncClient(api_key=KEY, base_url=server.base_url, **options)
