"""Prints the spans of a call. `pip install 'redcore-sdk[otel]' opentelemetry-sdk`."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from redcore import Client


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)
    with Client() as client:
        client.users.get_me()


if __name__ == "__main__":
    main()
