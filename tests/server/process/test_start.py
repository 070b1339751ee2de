"""What a process waits for before it starts."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest
from tests.server.support.databases import empty_database
from tests.server.support.tenants import Addresses

from redcore_server.clock import Clock
from redcore_server.process.start import prepare
from redcore_server.settings import Settings
from redcore_server.store.address import StoreError
from redcore_server.store.migrate import migrate


@pytest.fixture
def settings(addresses: Addresses) -> Iterator[Settings]:
    """Settings with an empty database."""
    with empty_database(addresses) as own:
        yield Settings(database_url=own.database_url, redis_url=own.redis_url, start_seconds=60, migrate_at_start=False)


def test_a_service_waits_for_the_job_that_migrates(settings: Settings) -> None:
    """It changes nothing itself, and starts once the schema is current."""
    waits = []

    def migrated_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        migrate(str(settings.database_url), clock=Clock())

    prepare(settings, sleep=migrated_meanwhile)

    assert waits == [0.5]


def test_a_missing_migration_is_an_error_that_names_the_command(settings: Settings) -> None:
    """Without time to wait."""
    with pytest.raises(StoreError, match="redcore-server migrate"):
        prepare(attrs.evolve(settings, start_seconds=0))


def test_a_service_migrates_itself_where_no_job_does(settings: Settings) -> None:
    """As a single server does."""
    prepare(attrs.evolve(settings, migrate_at_start=True, start_seconds=0))

    prepare(attrs.evolve(settings, start_seconds=0))


def test_a_store_that_is_down_is_waited_for(settings: Settings) -> None:
    """As long as the settings say; a gateway, which has no database, waits for Redis."""
    away = attrs.evolve(settings, redis_url="redis://127.0.0.1:1", database_url=None)
    waits: list[float] = []

    def enough(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare(away, sleep=enough)
    with pytest.raises(StoreError, match="Redis"):
        prepare(attrs.evolve(away, start_seconds=0), sleep=enough)

    assert waits == [0.5, 0.5, 0.5]
