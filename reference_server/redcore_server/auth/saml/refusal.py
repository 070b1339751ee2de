"""Why an assertion is rejected: logged, never shown to the presenter."""

from __future__ import annotations

from typing import Final

_MAX_CHARACTERS: Final = 300  # of a reason that quotes the assertion: it is logged and shown


class AssertionRefused(Exception):  # noqa: N818 - it is a result, not an internal error
    """The message is one clause for the log; it quotes names and times, no personal data and no signature."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, truncated: it may quote long untrusted input.

        Args:
            reason: Starts with "it", "its" or the faulty part.
        """
        super().__init__(reason if len(reason) <= _MAX_CHARACTERS else f"{reason[:_MAX_CHARACTERS]}…")
