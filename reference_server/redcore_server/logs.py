"""Configures logging to standard error: one JSON object per line, or human-readable lines on a terminal.

Sets format and level; each call site decides what may appear in a line.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any, Final, TextIO, cast

import attrs
import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

# They log each step at INFO. Their failures are logged at WARNING, and our own lines cover the rest.
_CHATTY = ("procrastinate", "psycopg.pool", "uvicorn.error")
# What a terminal obeys instead of showing: control codes (ECMA-48) but tab and line feed, and Unicode's for direction.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def configure_logging(level: str) -> None:
    """Configure structlog and the standard library's logging in the same way.

    Args:
        level: Lowest severity that is logged, such as `info`.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    is_terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not is_terminal:  # the console renderer writes exceptions itself
        shared.append(structlog.processors.format_exc_info)
    renderer: Processor = console() if is_terminal else structlog.processors.JSONRenderer(_line)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Lossy(sys.stderr))),
    )
    handler = logging.StreamHandler(sys.stderr)
    renderers: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        renderer,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=renderers
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


@attrs.frozen(eq=False)
class _Lossy:
    """A stream that loses what cannot be written: a full disk or a closed pipe must not fail the request of a line.

    The handler of the standard library does the same.
    """

    stream: TextIO

    def write(self, text: str) -> None:
        """Write a text, or lose it."""
        with contextlib.suppress(OSError):
            self.stream.write(text)

    def flush(self) -> None:
        """Flush the stream, if it can be."""
        with contextlib.suppress(OSError):
            self.stream.flush()


def console() -> Callable[[object, str, EventDict], str]:
    """Return the renderer for people.

    Control codes are escaped: anyone can send some in a path. Tracebacks are Python's: those of rich show local
    variables, secrets too.
    """
    render = structlog.dev.ConsoleRenderer(exception_formatter=_write_traceback)

    def render_visible(logger: object, method: str, event: EventDict) -> str:
        shown = {name: _visible(value) if isinstance(value, str) else value for name, value in event.items()}
        return render(logger, method, shown)

    return render_visible


def _write_traceback(stream: TextIO, error: ExcInfo) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, error)
    stream.write(_visible(text.getvalue()))


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _line(event: object, **options: Any) -> str:
    try:
        return orjson.dumps(event, **options).decode()
    except orjson.JSONEncodeError:  # it rejects lone surrogates and numbers beyond 64 bits, but no line may be lost
        return json.dumps(event, **options)
