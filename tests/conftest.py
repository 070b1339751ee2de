"""Shared by all tests: an environment without the variables that configure a client.

Hypothesis draws the same examples in every run and any order: a failure on one machine is a failure on all.
"""

from __future__ import annotations

import gc
import os
import ssl
from collections.abc import Generator, Iterator
from pathlib import Path

import certifi
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "redcore",
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # which measures the machine, not the strategy
)
settings.load_profile("redcore")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector leave alone what lives until the end: passing over it costs a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest: at the end they would keep one process busy and the others idle."""
    items.sort(key=lambda item: item.path.parent.name not in {"process", "testing"})  # they start servers of their own


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let httpx and httpx2 know one certificate authority: they read all for each client, in 20 ms."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(end)
    one = tmp_path_factory.mktemp("certifi") / "cacert.pem"
    one.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            patch.delenv(variable, raising=False)
        patch.setattr(certifi, "where", lambda: str(one))
        paths = ssl.get_default_verify_paths()._replace(openssl_cafile=str(one))
        patch.setattr(ssl, "get_default_verify_paths", lambda: paths)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    """Reach the servers of the tests directly, on a machine behind a proxy too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def no_redcore_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("REDCORE_") and not name.startswith("REDCORE_SERVER_")]:
        monkeypatch.delenv(name)
