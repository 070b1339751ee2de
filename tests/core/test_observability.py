"""Log lines, spans and metrics of a call, and that no secret is in them."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import attrs
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tests.core.world import GET, World, answer, refusal, tokens, user

from redcore import NetworkError, NotFoundError, RedcoreError
from redcore._base.operation import Operation
from redcore._call.credentials import Credentials
from redcore._call.engine import CallOptions
from redcore._spec import operations
from redcore._telemetry import OBSERVERS, Telemetry
from redcore._telemetry.urls import shown_url
from redcore.options import Retry

PAIR = Credentials(
    client_id="app_1", client_secret="canary-secret", access_token="canary-access", refresh_token="canary-r"
)


class Watched(World):
    """A world whose calls are observed as those of a client are."""

    def __init__(self, *script: Any, **options: Any) -> None:
        super().__init__(*script, **options)
        self.engine = attrs.evolve(self.engine, observers=OBSERVERS)

    def run_quietly(self, operation: Operation[Any], **options: Any) -> None:
        """Make a call that may fail."""
        with contextlib.suppress(RedcoreError):
            self.call(operation, **options)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line.partition(", request")[0] for line in caplog.messages]


class Traces:
    """The exported spans and metrics."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self.reader])

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans, in the order of their start."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    @property
    def points(self) -> list[Any]:
        """The data points of all metrics."""
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        metrics = [metric for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]
        assert [(metric.name, metric.unit) for metric in metrics] == [("http.client.request.duration", "s")]
        return list(metrics[0].data.data_points)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Traces:
    """An application that has set up OpenTelemetry."""
    traces = Traces()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: traces.provider)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: traces.meters)
    return traces


class TestLog:
    def test_a_line_an_attempt(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each attempt and each wait is one line."""
        world = Watched(refusal(503), NetworkError("reset"), user())

        with caplog.at_level(logging.DEBUG, "redcore"):
            world.call(GET)

        url = "GET https://api.example/v1/users/usr_1"
        assert lines(caplog) == [
            f"users_get attempt 1: {url} -> 503 in 0.000 s",
            "users_get waits 1.000 s (retry)",
            f"users_get attempt 2: {url} -> NetworkError: reset in 0.000 s",
            "users_get waits 2.000 s (retry)",
            f"users_get attempt 3: {url} -> 200 in 0.000 s",
        ]

    def test_only_harmless_headers_are_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """The line has a few headers of request and answer, by name."""
        world = Watched(answer(200, {"data": [], "meta": {}}, set_cookie="canary", retry_after="3"))

        with caplog.at_level(logging.DEBUG, "redcore"), pytest.raises(Exception, match="does not fit"):
            world.call(operations.users_list(), headers={"X-Own": "canary", "X-Request-ID": "r"})

        assert caplog.messages[0].endswith(
            "request r, sent {'accept': 'application/json', 'user-agent': "
            f"'{world.requests[0].headers['User-Agent']}', 'x-request-id': 'r'}}, received {{'retry-after': '3'}}"
        )

    def test_nothing_without_debug(self, caplog: pytest.LogCaptureFixture) -> None:
        """Unless DEBUG is enabled, a call costs nothing but the check."""
        world = Watched(user())

        with caplog.at_level(logging.INFO, "redcore"):
            assert OBSERVERS[0].started(GET) is None
            world.call(GET)

        assert caplog.messages == []

    def test_an_application_without_logging_sees_nothing(self) -> None:
        """The logger has a NullHandler, so that Python prints no warning by itself."""
        assert [type(handler) for handler in logging.getLogger("redcore").handlers] == [logging.NullHandler]


class TestSpans:
    def test_a_call_and_its_attempt(self, traces: Traces) -> None:
        """One span for the call, and one child for its attempt, by the semantic conventions."""
        Watched(user()).call(GET, headers={"X-Request-ID": "r"})

        call, attempt = traces.spans
        assert (call.name, call.kind, call.parent, dict(call.attributes or {})) == (
            "users_get",
            SpanKind.INTERNAL,
            None,
            {},
        )
        assert (attempt.name, attempt.kind) == ("GET /v1/users/{user_id}", SpanKind.CLIENT)
        assert attempt.parent is not None
        assert attempt.parent.span_id == call.context.span_id
        assert dict(attempt.attributes or {}) == {
            "http.request.method": "GET",
            "url.full": "https://api.example/v1/users/usr_1",
            "url.template": "/v1/users/{user_id}",
            "server.address": "api.example",
            "server.port": 443,
            "http.request.header.x-request-id": ("r",),
            "http.response.status_code": 200,
        }

    def test_it_belongs_to_the_trace_of_the_caller(self, traces: Traces) -> None:
        """The span of a call is a child of the current span."""
        with traces.provider.get_tracer("app").start_as_current_span("outer") as outer:
            Watched(user()).call(GET)

        call = next(span for span in traces.spans if span.name == "users_get")
        assert call.parent == outer.get_span_context()

    def test_the_trace_continues_at_the_server(self, traces: Traces) -> None:
        """Each attempt sends a traceparent of its own span."""
        world = Watched(refusal(503), user())

        world.call(GET)

        _, *attempts = traces.spans
        expected = [f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}" for span in attempts]
        assert [request.headers["traceparent"][:-3] for request in world.requests] == expected

    def test_retries(self, traces: Traces) -> None:
        """Each attempt is a span with its resend count; waits are events of the call."""
        Watched(refusal(503), NetworkError("reset"), user()).call(GET)

        call, *attempts = traces.spans
        outcomes = [(span.status.status_code, (span.attributes or {}).get("error.type")) for span in attempts]
        assert outcomes == [
            (StatusCode.ERROR, "503"),
            (StatusCode.ERROR, "redcore.NetworkError"),
            (StatusCode.UNSET, None),
        ]
        assert [(span.attributes or {}).get("http.request.resend_count") for span in attempts] == [None, 1, 2]
        assert [dict(event.attributes or {}) for event in call.events] == [
            {"redcore.wait.seconds": 1.0, "redcore.wait.reason": "retry"},
            {"redcore.wait.seconds": 2.0, "redcore.wait.reason": "retry"},
        ]
        assert call.status.status_code == StatusCode.UNSET

    def test_a_refresh_is_a_child_of_the_call(self, traces: Traces) -> None:
        """The request for a token is an attempt of the call that needed it."""
        Watched(refusal(401), tokens(), user(), credentials=PAIR).call(GET)

        call, *attempts = traces.spans
        assert [span.name for span in attempts] == [
            "GET /v1/users/{user_id}",
            "POST /oauth/token",
            "GET /v1/users/{user_id}",
        ]
        assert {span.parent.span_id for span in attempts if span.parent} == {call.context.span_id}

    def test_a_call_that_fails(self, traces: Traces) -> None:
        """The span of a failed call has the class of the error, and no message, which may quote the server."""
        with pytest.raises(NotFoundError):
            Watched(refusal(404, message="canary")).call(GET)

        call, _ = traces.spans
        assert (call.status.status_code, call.status.description) == (StatusCode.ERROR, None)
        assert dict(call.attributes or {}) == {"error.type": "redcore.NotFoundError"}

    def test_a_call_that_is_cancelled(self, traces: Traces) -> None:
        """Its spans end with it."""
        world = Watched()
        flow = world.engine.call(GET, CallOptions())
        next(flow)

        flow.close()

        call, attempt = traces.spans
        assert dict(call.attributes or {}) == {"error.type": "builtins.GeneratorExit"}
        assert (attempt.attributes or {})["error.type"] == "cancelled"

    def test_a_query_is_redacted(self, traces: Traces) -> None:
        """Only values that identify no person are shown."""
        Watched(answer(404)).run_quietly(operations.users_list(limit=5, role="viewer", q="ada@example.com"))

        assert (traces.spans[1].attributes or {})["url.full"] == (
            "https://api.example/v1/users?limit=5&role=viewer&q=REDACTED"
        )


class TestMetrics:
    def test_the_duration_of_each_attempt(self, traces: Traces) -> None:
        """Attempts are counted by method, address, template and outcome."""
        Watched(refusal(503), user()).call(GET)

        common = {
            "http.request.method": "GET",
            "server.address": "api.example",
            "server.port": 443,
            "url.template": "/v1/users/{user_id}",
        }
        assert [(dict(point.attributes), point.count) for point in traces.points] == [
            ({**common, "http.response.status_code": 503, "error.type": "503"}, 1),
            ({**common, "http.response.status_code": 200}, 1),
        ]
        assert traces.points[0].explicit_bounds[:2] == (0.005, 0.01)


class TestWithoutOpenTelemetry:
    def test_not_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Unless the application has imported OpenTelemetry, calls are not observed."""
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")

        assert Telemetry().started(GET) is None

    def test_not_set_up(self) -> None:
        """Without a provider, calls are not observed either."""
        assert Telemetry().started(GET) is None

    @pytest.mark.usefixtures("traces")
    def test_a_failing_span_processor_harms_no_call(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A processor that raises is logged; the call continues."""

        def fail(_: object) -> None:
            raise ValueError("broken exporter")

        monkeypatch.setattr(SimpleSpanProcessor, "on_end", lambda _, span: fail(span))

        Watched(user()).call(GET)

        assert set(caplog.messages) == {"OpenTelemetry failed in a call, which goes on without it"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/v1/users/usr_1", "https://a.example/v1/users/usr_1"),
        ("https://a.example/v1?limit=2&q=x%26y&offset=3", "https://a.example/v1?limit=2&q=REDACTED&offset=3"),
        ("https://a.example/v1?token=abc", "https://a.example/v1?token=REDACTED"),
        ("https://a.example/v1?canary", "https://a.example/v1?REDACTED"),
        ("https://a.example/v1?a=b=c&l%69mit=1", "https://a.example/v1?a=REDACTED&l%69mit=1"),
    ],
)
def test_urls_as_they_are_shown(url: str, shown: str) -> None:
    """Values of a query are redacted unless their names are known."""
    assert shown_url(url) == shown


@pytest.mark.parametrize("script", [[refusal(401), tokens("canary-2", "canary-3"), user()], [refusal(401)] * 4])
def test_no_secret_is_ever_logged(script: list[Any], traces: Traces, caplog: pytest.LogCaptureFixture) -> None:
    """No token, secret or key is in a log record, a span or a metric, whether the call succeeds or fails."""
    with caplog.at_level(logging.DEBUG):
        for credentials in (PAIR, Credentials(api_key="rk_live_canary")):
            world = Watched(*script, credentials=credentials)
            world.run_quietly(GET, headers={"X-Own": "canary", "Cookie": "canary"}, retry=Retry(max_retries=1))

    exported = [*(span.to_json() for span in traces.spans), *map(str, traces.points), *map(repr, vars_of(caplog))]
    assert len(traces.spans) > 3
    assert len(caplog.records) > 1
    assert [text for text in exported if "canary" in text] == []


def vars_of(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [(record.getMessage(), record.__dict__) for record in caplog.records]
