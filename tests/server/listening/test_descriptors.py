"""A process takes as many file descriptors as the system allows."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from redcore_server.listening.descriptors import raise_limit


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_descriptors_is_raised(limits: tuple[int, int]) -> None:
    """From what a system gives to any program to what it allows."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))

    raise_limit()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limits[1], limits[1])


def test_a_limit_that_the_system_refuses_is_left(limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS does: the server starts with what it has."""

    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        raise_limit()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limits
