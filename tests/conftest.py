"""What all tests share: an environment without the variables that configure a client."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_redcore_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("REDCORE_") and not name.startswith("REDCORE_SERVER_")]:
        monkeypatch.delenv(name)
