"""Spans and metrics by OpenTelemetry's semantic conventions for HTTP clients. Imported if OpenTelemetry is in use.

A call is one span of kind INTERNAL; each of its attempts, including token requests, is a child of kind CLIENT.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and http-metrics/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from opentelemetry import metrics, propagate, trace
from opentelemetry.metrics import Histogram, MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider

from redcore._base.log import logger
from redcore._base.operation import Operation
from redcore._base.version import __version__
from redcore._telemetry.urls import shown_url
from redcore.hooks import Attempt, AttemptResult

P = ParamSpec("P")
T = TypeVar("T")
SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
DURATIONS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # as the conventions require
API = ("opentelemetry.trace", "opentelemetry.metrics")
CANCELLED = "cancelled"


def harmless(function: Callable[P, T]) -> Callable[P, T | None]:
    """Wrap a function so that it never raises: errors of a tracer or exporter are logged, and the call continues."""

    @wraps(function)
    def guarded(*args: P.args, **options: P.kwargs) -> T | None:
        try:
            return function(*args, **options)
        except Exception:  # noqa: BLE001 (processors and samplers of the application may raise anything)
            logger.warning("OpenTelemetry failed in a call, which goes on without it", exc_info=True)
            return None

    return guarded


@harmless
def call_span(operation: Operation[Any]) -> CallSpan | None:
    """Return the observer of a call; None if the application has configured neither traces nor metrics."""
    traces, meters = trace.get_tracer_provider(), metrics.get_meter_provider()
    if not is_set_up(traces) and not is_set_up(meters):
        return None
    return CallSpan(operation.name, tracer(traces), durations(meters))


def is_set_up(provider: object) -> bool:
    """Whether a provider is real, and not one of the API's no-op providers."""
    return not type(provider).__module__.startswith(API)


@lru_cache(maxsize=1)
def tracer(provider: TracerProvider) -> Tracer:
    """The tracer."""
    return provider.get_tracer("redcore", __version__, SCHEMA)


@lru_cache(maxsize=1)
def durations(provider: MeterProvider) -> Histogram:
    """The histogram of attempt durations."""
    return provider.get_meter("redcore", __version__, SCHEMA).create_histogram(
        "http.client.request.duration",
        unit="s",
        description="Duration of HTTP client requests.",
        explicit_bucket_boundaries_advisory=DURATIONS_S,
    )


class CallSpan:
    """The spans of a call and its attempts."""

    def __init__(self, name: str, tracer: Tracer, durations: Histogram) -> None:
        self._tracer = tracer
        self._durations = durations
        self._span = tracer.start_span(name)
        self._context = trace.set_span_in_context(self._span)
        self._attempt: Span = trace.INVALID_SPAN
        self._attributes: Mapping[str, str | int] = {}

    @harmless
    def attempt_started(self, attempt: Attempt, /) -> Mapping[str, str]:
        """Begin a span; the returned headers propagate it to the server."""
        self._attributes = attributes(attempt)
        template = self._attributes.get("url.template")
        name = attempt.method if template is None else f"{attempt.method} {template}"
        self._attempt = self._tracer.start_span(
            name,
            self._context,
            SpanKind.CLIENT,
            {**self._attributes, **more_attributes(attempt)},
        )
        carrier: dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(self._attempt, self._context))
        return carrier

    @harmless
    def attempt_ended(self, result: AttemptResult, /) -> None:
        """End the span and record its duration."""
        outcome = outcome_of(result)
        self._attempt.set_attributes(outcome)
        if "error.type" in outcome:
            self._attempt.set_status(StatusCode.ERROR)
        self._attempt.end()
        self._durations.record(
            result.duration_s,
            {**self._attributes, **outcome},
            trace.set_span_in_context(self._attempt, self._context),
        )

    @harmless
    def waiting(self, seconds: float, reason: str, /) -> None:
        """Add an event to the span of the call."""
        self._span.add_event("redcore.wait", {"redcore.wait.seconds": seconds, "redcore.wait.reason": reason})

    @harmless
    def ended(self, error: BaseException | None, /) -> None:
        """End the span, without the message of an error."""
        if error is not None:
            self._span.set_attribute("error.type", type_of(error))
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def attributes(attempt: Attempt) -> Mapping[str, str | int]:
    """Attributes of both span and metric at the start of an attempt, all of low cardinality."""
    url = urlsplit(attempt.url)
    named: dict[str, str | int] = {
        "http.request.method": attempt.method,
        "server.address": url.hostname or "",
        "server.port": url.port or (80 if url.scheme == "http" else 443),
    }
    if attempt.url_template is not None:
        named["url.template"] = urlsplit(attempt.url_template).path
    return named


def more_attributes(attempt: Attempt) -> Mapping[str, str | int | list[str]]:
    """Attributes of the span of an attempt only."""
    named: dict[str, str | int | list[str]] = {
        "url.full": shown_url(attempt.url),
        "http.request.header.x-request-id": [attempt.request_id],
    }
    if attempt.number > 1:
        named["http.request.resend_count"] = attempt.number - 1
    return named


def outcome_of(result: AttemptResult) -> Mapping[str, str | int]:
    """The status or error of an attempt; both for an error status."""
    if result.status_code is None:
        return {"error.type": CANCELLED if result.error is None else type_of(result.error)}
    named: dict[str, str | int] = {"http.response.status_code": result.status_code}
    if result.status_code >= 400:
        named["error.type"] = str(result.status_code)
    return named


def type_of(error: BaseException) -> str:
    """The fully qualified class name of an error."""
    return f"{type(error).__module__}.{type(error).__qualname__}"
