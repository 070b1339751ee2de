"""The addresses that the command line knows without loading the SDK."""

from __future__ import annotations

from redcore._call.addresses import ENVIRONMENTS
from redcore.cli.state import URLS


def test_the_environments_are_those_of_the_sdk() -> None:
    """They are repeated so that `redcore users --help` does not import the SDK."""
    assert URLS == ENVIRONMENTS
