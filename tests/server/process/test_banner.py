"""The summary of `redcore-server up`."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from redcore_server.process.banner import summary
from redcore_server.settings import Settings, from_environment


@pytest.fixture
def settings() -> Settings:
    return attrs.evolve(from_environment(), data=Path("/data"), port=4010)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (20, "    http://127.0.0.1:4010/v1"),
        (40, "    http://127.0.0.1:4010/v1"),
        (80, f"  {'API':<12} http://127.0.0.1:4010/v1"),
    ],
)
def test_the_summary_breaks_no_value(settings: Settings, columns: int, line: str) -> None:
    """In a narrow terminal a value has a line of its own, so that it can be copied."""
    assert line in summary(settings, embedded_postgres=True, embedded_redis=True, columns=columns).splitlines()


def test_the_summary_says_how_to_stop_a_server_without_a_terminal(settings: Settings) -> None:
    """Ctrl-C does not reach a server in the background."""
    text = summary(settings, embedded_postgres=True, embedded_redis=True)

    assert "redcore-server stop --data /data" in text
    assert "Ctrl-C" not in text
