"""What a client tells of its calls: a log, and OpenTelemetry's spans and metrics. Nothing of it holds a secret.

Each is asked once a call whether anybody listens; a call to which nobody listens runs as if there were none of this.
"""

from __future__ import annotations

from redcore._watch import Observer
from redcore.observability.log import Log
from redcore.observability.telemetry import Telemetry

OBSERVERS: tuple[Observer, ...] = (Log(), Telemetry())
"""Those who are told of the calls of every client."""
