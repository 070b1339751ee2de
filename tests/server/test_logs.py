"""How the server logs."""

from __future__ import annotations

import sys

import pytest

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


@pytest.mark.parametrize("code", ["\x1b]0;x\x07", "\x1b[2J", "\x9b2J", "\x08", "\x7f", "\u202e"])
def test_a_line_for_people_has_no_control_codes_of_a_request(code: str) -> None:
    """A terminal obeys them: they retitle it, clear it, or hide other lines. Anyone can put some in a path."""
    error = ValueError(code)
    fields = {"event": "request", "path": f"/caf\xe9{code}", "exc_info": (ValueError, error, None)}

    line = console()(None, "error", fields)

    assert code not in line
    assert "/caf\xe9\\" in line
