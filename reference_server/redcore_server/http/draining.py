"""Whether this process is shutting down: load balancers learn it before connections are refused."""

from __future__ import annotations

import attrs


@attrs.define
class Draining:
    """Set once by the signal handler, read by `/readyz`."""

    is_on: bool = False
