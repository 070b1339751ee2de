"""Metrics for Prometheus: requests and their duration, by operation of the contract."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.responses import Response


class Metrics:
    """The metrics of one gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "redcore_requests", "Requests answered.", ["operation", "status"], registry=self._registry
        )
        self._duration = Histogram(
            "redcore_request_duration_seconds", "Time to answer.", ["operation"], registry=self._registry
        )
        # Bounded by operations times statuses; cached because looking one up by labels takes a lock each time.
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count(self, operation: str, status: int, duration_s: float) -> None:
        """Count a finished request.

        Args:
            operation: OperationId, or `unknown`.
            status: HTTP status of the response.
            duration_s: Seconds from the first byte of the request to the last of the response.
        """
        series = self._series.get((operation, status))
        if series is None:
            series = self._requests.labels(operation, str(status)), self._duration.labels(operation)
            self._series[operation, status] = series
        requests, duration = series
        requests.inc()
        duration.observe(duration_s)

    def exposition(self) -> Response:
        """Return all metrics in the text format."""
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
