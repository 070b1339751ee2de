"""The end of patience with a person who does not log in. Measures no time itself."""

from __future__ import annotations

from redcore.exceptions import ConfigurationError, RedcoreError


class LoginTimeoutError(RedcoreError, TimeoutError):
    """The person did not log in in time; start another login."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(f"nobody logged in within {deadline_s:g} s; start another login")


def checked(deadline_s: float) -> float:
    """The deadline, if it is one.

    Raises:
        ConfigurationError: it is not a number of seconds above 0.
    """
    if not deadline_s > 0:
        raise ConfigurationError(f"deadline must be a number of seconds above 0; got {deadline_s!r}")
    return deadline_s
