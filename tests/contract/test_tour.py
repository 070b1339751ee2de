"""The tour of `nox -s demo` through a proxy that judges every exchange, over the SDK's own connections."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from tests.client.loopback import Loopback, Reply, Seen
from tests.contract.judge import Judge

from redcore.testing import Lab, ReferenceServer

TOUR = Path(__file__).parents[2] / "examples" / "tour.py"
FAULT = b"The lab was asked for a"
OF_ONE_CONNECTION = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}


class JudgingProxy:
    """Passes requests on to a server and its answers back, and judges both.

    Args:
        origin: Of the server.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._judge = Judge()
        self._http = httpx.Client(trust_env=False, timeout=60.0, limits=httpx.Limits(max_connections=None))
        self.judged = 0
        self.violations: list[str] = []

    def answer(self, seen: Seen) -> Reply:
        """Pass one exchange on."""
        request = httpx.Request(
            seen.method, f"{self._origin}{seen.path}", headers=dict(seen.headers), content=seen.body
        )
        answer = self._http.send(request)
        self.judged += 1
        try:
            if FAULT in answer.content:  # a fault may be anything, so only the request is judged
                self._judge.rule_request(request)
            else:
                self._judge.rule(answer)
        except Exception as violation:  # noqa: BLE001 (whatever the judge says)
            self.violations.append(f"{seen.method} {seen.path}: {violation}: {violation.__cause__}")
        kept = {name: value for name, value in answer.headers.items() if name not in OF_ONE_CONNECTION}
        return Reply(answer.status_code, answer.content, kept)

    def close(self) -> None:
        """Close its connections to the server."""
        self._http.close()


class Proxied:
    """A running server, as the tour knows it, at the address of a proxy."""

    def __init__(self, server: ReferenceServer, origin: str) -> None:
        self._server = server
        self.origin = origin
        self.base_url = f"{origin}/v1"
        self.api_key: Any = {**server.api_key, "base_url": self.base_url}
        self.application: Any = {**server.application, "base_url": self.base_url}
        self.lab: Lab = server.lab

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """It goes on for other tests."""


@pytest.fixture
def proxy(redcore_server: ReferenceServer) -> Iterator[JudgingProxy]:
    proxy = JudgingProxy(redcore_server.origin)
    yield proxy
    proxy.close()


@pytest.mark.long
def test_the_tour_violates_nothing(
    redcore_server: ReferenceServer, redcore_lab: Lab, proxy: JudgingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its requests nor the answers of the server; each step comes out right through the proxy too."""
    found = spec_from_file_location("tour", TOUR)
    assert found is not None
    assert found.loader is not None
    tour = module_from_spec(found)
    found.loader.exec_module(tour)
    with Loopback() as server:
        server.answer = proxy.answer
        monkeypatch.setattr(tour, "ReferenceServer", lambda: Proxied(redcore_server, server.origin))

        tour.main()

    assert proxy.violations == []
    assert proxy.judged > tour.USERS + tour.CONCURRENT
