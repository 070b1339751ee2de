"""The laboratory of a fake: the same as the server's, in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from redcore.testing._fake.faults import Script
from redcore.testing._fake.limits import Quota
from redcore.testing.lab import Fault, Lab


class FakeLab(Lab):
    """Controls a fake; see `Lab`.

    Args:
        fake: A `FakeBlueRound`.
    """

    def __init__(self, fake: Any) -> None:
        super().__init__("")
        self._fake = fake
        self._routes: Mapping[tuple[str, str], Callable[[Any], Any]] = {
            ("POST", "/lab/faults"): self._add_faults,
            ("GET", "/lab/faults"): lambda _: [attrs.asdict(each) for each in fake.scripts.pending()],
            ("DELETE", "/lab/faults"): lambda _: fake.scripts.clear(),
            ("POST", "/lab/clock"): lambda body: fake.platform.state.advance(body["advance"]),
            ("DELETE", "/lab/clock"): lambda _: fake.platform.state.reset_clock(),
            ("PUT", "/lab/limits"): self._limit,
            ("DELETE", "/lab/limits"): lambda _: setattr(fake.platform.limits, "override", None),
            ("GET", "/lab/outbox"): lambda _: fake.platform.state.mails,
            ("GET", "/lab/requests"): lambda _: [attrs.asdict(each) for each in fake.requests],
            ("POST", "/lab/reset"): lambda _: fake.reset(),
        }

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._routes[method, path](body)

    def _add_faults(self, body: Mapping[str, Any]) -> None:
        faults = [Fault.from_json(form) for form in body["faults"]]
        self._fake.scripts.add(Script.of(body.get("method"), body["path"], body["path"], faults))

    def _limit(self, body: Mapping[str, Any]) -> None:
        self._fake.platform.limits.override = Quota(body["requests_per_minute"], body["requests_per_second"])
