"""Why an assertion is not accepted: said to the log, never to who presented it."""

from __future__ import annotations


class AssertionRefused(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """The message is one clause for the log; it quotes names and times, no personal data and no signature."""
