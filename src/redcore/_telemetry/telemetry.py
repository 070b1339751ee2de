"""OpenTelemetry, if the application uses it. This module never imports it: see `otel`.

An application that wants spans or metrics has configured a provider, and so has imported the API already. Otherwise,
the only cost per call is one lookup in `sys.modules`. docs/adr/0025-opentelemetry.md
"""

from __future__ import annotations

import sys
from typing import Any

from redcore._base.operation import Operation
from redcore._call.observers import CallObserver


class Telemetry:
    """Records spans and metrics of all calls."""

    def started(self, operation: Operation[Any], /) -> CallObserver | None:
        """A call begins."""
        if "opentelemetry.trace" not in sys.modules:
            return None
        from redcore._telemetry import otel  # noqa: PLC0415 (OpenTelemetry is an extra)

        return otel.call_span(operation)
