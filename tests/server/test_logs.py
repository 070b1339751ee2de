"""How the server logs."""

from __future__ import annotations

import sys

from redcore_server.logs import console


def test_a_traceback_for_people_shows_no_variables() -> None:
    """The variables of a frame may hold passwords and tokens."""

    def fail(password: str) -> None:
        raise ValueError(len(password))

    try:
        fail("yranac"[::-1])
    except ValueError:
        line = console()(None, "error", {"event": "unexpected error", "exc_info": sys.exc_info()})

    assert "ValueError: 6" in line
    assert "canary" not in line
