"""Profiles: the settings of `redcore` by name, in one TOML file of the user. Holds no secret; `vault` does."""

from __future__ import annotations

import os
from collections.abc import Mapping
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


class Profiles:
    """The file, read once; `change` writes it."""

    def __init__(self, place: Path) -> None:
        self.path: Path = place / FILE
        self._told = self._read()

    @property
    def default(self) -> str:
        """The profile that `auth switch` has chosen."""
        return str(self._told.get("profile", DEFAULT))

    @property
    def names(self) -> list[str]:
        """The profiles that the file has."""
        return sorted(self._profiles())

    def settings(self, name: str) -> Mapping[str, Any]:
        """Return what a profile sets; nothing for an unknown one."""
        return self._profiles().get(name, {})

    def change(self, name: str, changes: Mapping[str, Any]) -> None:
        """Set settings of a profile, which is made if it is not there; None removes one."""
        profiles = {**self._profiles()}
        changed = {**profiles.get(name, {}), **changes}
        profiles[name] = {key: value for key, value in changed.items() if value is not None}
        self._write({**self._told, "profiles": profiles})

    def switch(self, name: str) -> None:
        """Choose the profile that counts when none is named."""
        self._write({**self._told, "profile": name})

    def _profiles(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._told.get("profiles", {})
        return found

    def _read(self) -> dict[str, Any]:
        import tomllib  # noqa: PLC0415 (`--help` reads no settings)

        try:
            with self.path.open("rb") as file:
                told = tomllib.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise click.ClickException(f"{self.path} cannot be read: {problem}") from None
        profiles: Any = told.get("profiles", {})
        if not isinstance(profiles, dict) or not all(
            isinstance(found, dict) for found in cast("dict[str, Any]", profiles).values()
        ):
            raise click.ClickException(f"{self.path} is not a configuration: [profiles.NAME] holds the settings of one")
        return told

    def _write(self, told: dict[str, Any]) -> None:
        import tempfile  # noqa: PLC0415 (reading is the rule)

        import tomli_w  # noqa: PLC0415 (as above)

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            opened, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{FILE}.")
            try:
                with open(opened, "wb") as file:  # noqa: PTH123 (a descriptor)
                    tomli_w.dump(told, file)
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink()
                raise
        except OSError as problem:
            raise click.ClickException(f"{self.path} cannot be written: {problem.strerror}") from None
        except UnicodeEncodeError:
            raise click.UsageError("The name of the profile or the value is not valid text in UTF-8.") from None
        self._told = told
