"""Validates how long a person may take to log in. Measures no time itself."""

from __future__ import annotations

from redcore.exceptions import ConfigurationError, LoginTimeoutError

__all__ = ["LoginTimeoutError", "checked_deadline"]  # older pickles look for `LoginTimeoutError` here


def checked_deadline(deadline_s: object) -> float:
    """Validate a deadline.

    Raises:
        ConfigurationError: it is not a number of seconds above 0.
    """
    if not isinstance(deadline_s, int | float) or not deadline_s > 0:  # not NaN either
        raise ConfigurationError(f"deadline must be a number of seconds above 0; got {deadline_s!r}")
    return deadline_s
