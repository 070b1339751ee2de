"""Errors of `ReferenceServer` when it is used wrongly."""

from __future__ import annotations

import pytest

from redcore.testing import ReferenceServer, ReferenceServerError


@pytest.mark.parametrize("name", ["data", "pid", "origin", "base_url", "api_key", "application", "lab"])
def test_a_server_that_is_not_started(name: str) -> None:
    """It has no data, process, address or credentials."""
    with pytest.raises(ReferenceServerError, match="the server is not started"):
        getattr(ReferenceServer(), name)


def test_the_lab_of_a_server_without_one() -> None:
    """The error names the argument."""
    with pytest.raises(ReferenceServerError, match="was started without lab=True"):
        _ = ReferenceServer(lab=False).lab


def test_a_machine_without_the_servers_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it, before anything is started."""
    monkeypatch.setattr("redcore.testing.server.find_spec", lambda _: None)

    with pytest.raises(ReferenceServerError, match=r"pip install 'redcore-sdk\[testing,server\]'"):
        ReferenceServer().start()
