"""What a client tells of its calls: a log, and OpenTelemetry's spans and metrics. Nothing of it holds a secret.

Each is asked once a call whether anybody listens; a call to which nobody listens runs as if there were none of this.
"""

from __future__ import annotations

from redcore._call.observers import Observer
from redcore._telemetry.log import Log
from redcore._telemetry.telemetry import Telemetry

OBSERVERS: tuple[Observer, ...] = (Log(), Telemetry())
"""Those who are told of the calls of every client."""
