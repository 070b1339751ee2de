"""The user's state folder, for data that programs keep between runs; located on demand, not created here."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from redcore.exceptions import TokenCacheError

NO_HOME = "there is no home folder to keep tokens in: set HOME to one that exists, or give FileCache a path"


def state_folder() -> Path:
    """The folder, such as `~/.local/state/redcore`.

    Raises:
        TokenCacheError: the user has no home folder, as in a container whose user has no passwd entry.
    """
    if not (has_home() or Path(os.environ.get("XDG_STATE_HOME", "")).is_absolute()):
        raise TokenCacheError(NO_HOME)
    folder = Path(platformdirs.user_state_dir("redcore"))
    if not folder.is_absolute():  # it would lie in the working folder; old platformdirs do not expand `~`
        raise TokenCacheError(NO_HOME)
    return folder


def has_home() -> bool:
    """Whether the user has a home folder: by HOME, which may be empty or relative in containers, or by passwd.

    One that does not exist is not made: system users have homes that never should, such as `/nonexistent`.
    """
    try:
        home = Path.home()
    except (RuntimeError, KeyError):  # neither HOME nor a passwd entry
        return False
    # `Path.is_dir` raises where the folder cannot be asked for, such as that of another user.
    return os.environ.get("HOME") != "" and home.is_absolute() and os.path.isdir(home)  # noqa: PTH112
