"""Telemetry of calls: a log, and OpenTelemetry spans and metrics. None of it contains a secret.

Each observer is asked once per call whether it is enabled; a call without enabled observers has no overhead.
"""

from __future__ import annotations

from redcore._call.observers import Observer
from redcore._telemetry.log import Log
from redcore._telemetry.telemetry import Telemetry

OBSERVERS: tuple[Observer, ...] = (Log(), Telemetry())
"""The observers of the calls of every client."""
