"""Tracebacks of errors: the caller's own line, and few frames of the SDK."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
from tests.client.colours import Colour
from tests.client.loopback import Loopback, refusal, reset

import redcore
from redcore import Attempt, Hooks, NetworkError, NotFoundError, RedcoreError

PACKAGE = str(Path(redcore.__file__).parent)
MOST = 5
"""Frames of the SDK that a reader has to skip."""


def frames_of_the_sdk(error: BaseException) -> list[traceback.FrameSummary]:
    """The lines of a traceback that are the SDK's."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PACKAGE)]


def test_traceback_of_an_api_error_is_short(call: Colour, make: Any, server: Loopback) -> None:
    """The engine's frames are left out: they are the same for every call."""
    server.script(refusal(404, "RESOURCE_NOT_FOUND"))

    with pytest.raises(NotFoundError) as caught:
        call(make().users.get, "usr_1")

    assert 1 <= len(frames_of_the_sdk(caught.value)) <= MOST


def test_traceback_of_a_network_error_is_short_and_its_cause_has_its_own(
    call: Colour, make: Any, server: Loopback
) -> None:
    """The error of the operating system keeps its frames, as the cause."""
    server.script(reset)

    with pytest.raises(NetworkError) as caught:
        call(make(max_retries=0).users.get, "usr_1")

    assert len(frames_of_the_sdk(caught.value)) <= MOST
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is not None


def test_traceback_of_a_hook_shows_the_hook(call: Colour, make: Any) -> None:
    """The frames of a hook belong to the caller, so that traceback stays whole."""

    def refuse(_attempt: Attempt) -> None:
        raise RedcoreError("not today")

    with pytest.raises(RedcoreError, match="not today") as caught:
        call(make(hooks=Hooks(before_attempt=refuse)).users.get, "usr_1")

    assert "refuse" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
