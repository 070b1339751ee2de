"""Why an assertion is not accepted: said to the log, never to who presented it."""

from __future__ import annotations

from typing import Final

_MAX_CHARACTERS: Final = 300


class AssertionRefused(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """The message is one clause for the log; it quotes names and times, no personal data and no signature."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, cut short: what it quotes may be as long as a stranger likes.

        Args:
            reason: Begins with "it", "its" or what else is wrong.
        """
        super().__init__(reason if len(reason) <= _MAX_CHARACTERS else f"{reason[:_MAX_CHARACTERS]}…")
