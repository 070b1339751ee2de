"""A connection whose loop, transport and app a test can look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.server.support.still_connection import App, Loop, Transport, connected

from redcore_server.listening.connection import Connection


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def connection(loop: Loop, transport: Transport, app: App) -> Iterator[Connection]:
    with connected(loop, transport, app) as made:
        yield made
