"""Profiles: the settings of `redcore` by name, in one TOML file of the user. Holds no secret; `vault` does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import click

DEFAULT: Final = "default"
FILE: Final = "config.toml"
FOLDER_VARIABLE: Final = "REDCORE_CONFIG_DIR"
PROFILE_VARIABLE: Final = "REDCORE_PROFILE"

SETTINGS: Final = {
    "base_url": "REDCORE_BASE_URL",
    "auth_url": "REDCORE_AUTH_URL",
    "environment": "REDCORE_ENVIRONMENT",
    "client_id": "REDCORE_CLIENT_ID",
    "timeout": "REDCORE_TIMEOUT",
    "max_retries": "REDCORE_MAX_RETRIES",
    "output": "REDCORE_OUTPUT",
}
"""What a profile may set, and the variable that wins over it."""


def folder() -> Path:
    """Return the folder of the configuration (`REDCORE_CONFIG_DIR`, or what the system has for it)."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_config_path  # noqa: PLC0415 (not needed where the variable is set)

    found = user_config_path("redcore")
    if not found.is_absolute():  # without HOME: never the current working folder
        raise click.ClickException(f"there is no home folder to keep settings in: set {FOLDER_VARIABLE}")
    return found


OWN: Final = frozenset({"storage", "origin"})
"""What a login notes in its profile: where its secrets are, and which address gave them."""


class Profiles:
    """The file, read once; `change` and `switch` write it."""

    def __init__(self, place: Path) -> None:
        self.path: Path = place / FILE
        self._document = self._read()

    @property
    def default(self) -> str:
        """The profile that `auth switch` has chosen."""
        return str(self._document.get("profile", DEFAULT))

    @property
    def names(self) -> list[str]:
        """The profiles that the file has."""
        return sorted(profiles_of(self._document))

    def settings(self, name: str) -> Mapping[str, Any]:
        """Return what a profile sets; nothing for an unknown one."""
        return profiles_of(self._document).get(name, {})

    def unknown(self, name: str) -> list[str]:
        """Return what a profile sets and no command reads: misspelt names."""
        return sorted(self.settings(name).keys() - SETTINGS.keys() - OWN)

    def change(self, name: str, changes: Mapping[str, Any]) -> None:
        """Set settings of a profile, which is made if it is not there; None removes one."""

        def apply(document: dict[str, Any]) -> None:
            profile = document.setdefault("profiles", {}).setdefault(name, {})
            for setting, value in changes.items():
                if value is None:
                    profile.pop(setting, None)
                else:
                    profile[setting] = value

        self._write(apply)

    def switch(self, name: str) -> None:
        """Choose the profile that counts when none is named."""
        self._write(lambda document: document.update(profile=name))

    def _read(self) -> dict[str, Any]:
        import tomllib  # noqa: PLC0415 (`--help` reads no settings)

        try:
            document = tomllib.loads(self.path.read_text(encoding="utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as problem:
            raise click.ClickException(f"{self.path} cannot be read: {problem.strerror}") from None
        except UnicodeDecodeError:
            raise click.ClickException(f"{self.path} is not text in UTF-8") from None
        except ValueError as problem:
            raise click.ClickException(f"{self.path} is not a configuration in TOML: {problem}") from None
        profiles: Any = document.get("profiles", {})
        if not isinstance(profiles, dict) or not all(
            isinstance(found, dict) for found in cast("dict[str, Any]", profiles).values()
        ):
            raise click.ClickException(f"{self.path} is not a configuration: [profiles.NAME] holds the settings of one")
        return document

    def _write(self, apply: Callable[[dict[str, Any]], None]) -> None:
        """Change what the file has now: another command may have written it since it was read.

        Args:
            apply: Changes the decoded file in place.
        """
        import tomlkit  # noqa: PLC0415 (reading is the rule)

        from redcore.tokens.file_lock import locked  # noqa: PLC0415 (as above)

        path = self.path.resolve()  # a link, as people have who keep their settings elsewhere, stays one
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(path.with_name(f".{FILE}.lock")):
                self._document = self._read()
                document = tomlkit.parse(path.read_text(encoding="utf-8-sig") if path.exists() else "")
                apply(cast("dict[str, Any]", document))
                replace(path, tomlkit.dumps(document))
                self._document = document.unwrap()
        except OSError as problem:
            raise click.ClickException(f"{self.path} cannot be written: {problem.strerror}") from None
        except UnicodeEncodeError:
            raise click.UsageError("The name of the profile or the value is not valid text in UTF-8.") from None


def profiles_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of each profile."""
    found: dict[str, dict[str, Any]] = document.get("profiles", {})
    return found


def replace(path: Path, text: str) -> None:
    """Write a file that is never seen half written, for its owner alone.

    Raises:
        OSError: it cannot be written.
    """
    import tempfile  # noqa: PLC0415 (reading is the rule)

    opened, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(opened, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 (a descriptor)
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
