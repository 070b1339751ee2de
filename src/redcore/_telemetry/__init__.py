"""Telemetry of calls: a log, and OpenTelemetry spans and metrics. None of it contains a secret.

Each observer is asked once per call whether it is enabled; a call without enabled observers has no overhead.
OpenTelemetry is never imported here: an application that wants spans or metrics has configured a provider, and so has
imported the API already. Otherwise, the only cost per call is one lookup in `sys.modules`; see
docs/adr/0025-opentelemetry.md.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from redcore._base.log import logger
from redcore._base.operation import Operation
from redcore._call.observers import CallObserver, Observer
from redcore._telemetry.log import CallLog


class Log:
    """Logs all calls."""

    def started(self, operation: Operation[Any], /) -> CallLog | None:
        """Return the observer of a call, if DEBUG is enabled."""
        return CallLog(operation.name) if logger.isEnabledFor(logging.DEBUG) else None


class Telemetry:
    """Records spans and metrics of all calls."""

    def started(self, operation: Operation[Any], /) -> CallObserver | None:
        """Return the observer of a call, if OpenTelemetry is in use."""
        if "opentelemetry.trace" not in sys.modules:
            return None
        from redcore._telemetry import otel  # noqa: PLC0415 (OpenTelemetry is an extra)

        return otel.call_span(operation)


OBSERVERS: tuple[Observer, ...] = (Log(), Telemetry())
"""The observers of the calls of every client."""
