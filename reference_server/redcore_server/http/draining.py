"""Whether this process has been asked to stop: load balancers are told before connections are refused."""

from __future__ import annotations

import attrs


@attrs.define
class Draining:
    """Set once by whoever takes the signal, read by `/readyz`."""

    is_on: bool = False
