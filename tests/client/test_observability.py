"""Logs and telemetry of clients over a real connection, in all colours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.answers import META, USER
from tests.client.colours import Colour
from tests.client.loopback import Loopback, Reply, Seen, pair, refusal, reply, user


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """An application that has set up traces."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    """An application that has set up metrics."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    yield reader
    provider.shutdown()


@pytest.mark.usefixtures("redcore_time")
def test_a_trace_reaches_the_server(call: Colour, make: Any, server: Loopback, exporter: InMemorySpanExporter) -> None:
    """Each attempt carries the id of its own span to the server."""
    client = make()
    server.script(refusal(503), user())

    call(client.users.get, "usr_1")

    first, second, _ = exporter.get_finished_spans()
    assert [seen.headers["traceparent"].split("-")[2] for seen in server.seen] == [
        f"{span.context.span_id:016x}" for span in (first, second)
    ]


def test_nothing_is_added_without_a_provider(call: Colour, make: Any, server: Loopback) -> None:
    """Without a provider, requests have no header of a trace."""
    call(make().users.get, "usr_1")

    assert "traceparent" not in server.seen[0].headers


@pytest.mark.parametrize("concurrency", [1, 4])
def test_pages_belong_to_the_trace_of_the_walk(
    make: Any, call: Colour, server: Loopback, exporter: InMemorySpanExporter, concurrency: int
) -> None:
    """Pages that are fetched ahead, in threads or tasks, are in the trace of the code that iterates."""

    def listing(seen: Seen) -> Reply:
        offset = int(seen.path.partition("offset=")[2])
        return reply({"data": [dict(USER, id=f"usr_{offset}")], "meta": dict(META, total=5, limit=1, offset=offset)})

    server.answer = listing
    with trace.get_tracer_provider().get_tracer("app").start_as_current_span("job") as job:
        call.items(make().users.list_all(page_size=1, concurrency=concurrency))

    calls = [span for span in exporter.get_finished_spans() if span.name == "users_list"]
    parents = {span.parent.span_id for span in calls if span.parent is not None}
    assert len(calls) == 5
    assert parents == {job.get_span_context().span_id}


def test_no_secret_is_reported(  # noqa: PLR0917 (each place to look in is a fixture)
    call: Colour,
    make: Any,
    server: Loopback,
    exporter: InMemorySpanExporter,
    reader: InMemoryMetricReader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No key, secret or token of a client is in its log, spans and metrics, whichever way it authenticates."""
    with caplog.at_level(logging.DEBUG):
        server.script(user())
        call(make(api_key="rk_live_canary").users.get, "usr_1")
        server.script(refusal(401), pair(2, access_token="canary-2", refresh_token="canary-3"), user())
        session = {"access_token": "canary-1", "refresh_token": "canary-0"}
        call(make(client_id="app_1", client_secret="canary", **session).users.get, "usr_1")

    shown = [
        *(span.to_json() for span in exporter.get_finished_spans()),
        str(reader.get_metrics_data()),
        *(f"{record.getMessage()} {record.__dict__}" for record in caplog.records),
    ]
    assert len(exporter.get_finished_spans()) == 6
    assert len([record for record in caplog.records if record.name == "redcore"]) == 4
    assert [text for text in shown if "canary" in text] == []
