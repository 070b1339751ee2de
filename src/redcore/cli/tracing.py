"""What `--verbose` and `--debug` show of calls: attempts, waits, request ids. Never a header or a body."""

from __future__ import annotations

from redcore.cli.terminal import Terminal
from redcore.hooks import Attempt, AttemptResult, Hooks


def tracing(terminal: Terminal) -> Hooks:
    """Return hooks that print each attempt to stderr."""

    def before(attempt: Attempt) -> None:
        terminal.detail(f"> {attempt.method} {attempt.url} (attempt {attempt.number})", level=2)

    def after(result: AttemptResult) -> None:
        what = type(result.error).__name__ if result.status_code is None else result.status_code
        attempt = result.attempt
        terminal.detail(f"< {what} {attempt.operation} in {result.duration_s:.2f} s (request {attempt.request_id})")

    return Hooks(before_attempt=before, after_attempt=after)
