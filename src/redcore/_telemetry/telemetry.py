"""OpenTelemetry, as far as the application uses it. This module imports nothing of it: see `spans`.

An application that wants spans or metrics has set up a provider, and so has imported the API, before they can be had.
Where that is not so, one look at `sys.modules` is all that a call costs. docs/adr/0025-opentelemetry.md
"""

from __future__ import annotations

import sys
from typing import Any

from redcore._base.operation import Operation
from redcore._call.observers import CallObserver


class Telemetry:
    """Makes spans and metrics of all calls."""

    def started(self, operation: Operation[Any], /) -> CallObserver | None:
        """A call begins."""
        if "opentelemetry.trace" not in sys.modules:
            return None
        from redcore._telemetry import otel  # noqa: PLC0415 (OpenTelemetry is an extra)

        return otel.call_span(operation)
