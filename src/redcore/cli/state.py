"""What one run of `redcore` works with: the profile, its settings and where each came from, the client.

Imports the SDK when the first call is made, not before.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click

from redcore.cli import exit_codes
from redcore.cli.profiles import PROFILE_VARIABLE, SETTINGS, Profiles, folder
from redcore.cli.terminal import Terminal

if TYPE_CHECKING:
    from redcore import Client
    from redcore.cli.keyring_calls import BoundedKeyring
    from redcore.cli.vault import Vault

DEFAULTS = {"environment": "production", "timeout": "30", "max_retries": "2", "output": "table"}
KEYRING = "redcore-cli"
"""What the entries of the command line are called in the keyring."""
KEYRING_LIMIT_S = 5.0
"""Without a terminal no person answers a prompt, and an open keyring takes a tenth of a second."""
KEYRING_AT_TERMINAL_LIMIT_S = 60.0
"""At a terminal a person may have to find a password first; Ctrl-C ends it sooner."""
URLS = {"production": "https://api.blueround.com/v1", "staging": "https://api.blueround.dev/v1"}


class NotLoggedInError(click.ClickException):
    """There are no credentials, or they belong to another address."""

    exit_code = exit_codes.NOT_ALLOWED


class Setting(NamedTuple):
    """A value, and what it comes from."""

    value: str | None
    origin: str


class State:
    """Made once for a command line; `click` hands it to every command."""

    def __init__(self) -> None:
        self.terminal: Terminal = Terminal()
        self.profile_option: str | None = None
        self.overrides: dict[str, str] = {}
        """Settings given as options, by their names."""
        self.safe_for_spreadsheets = False
        """Whether CSV is written for a spreadsheet."""
        self.scope_needed = ""
        """The scope of the command, for the hint after a 403."""
        self._profiles: Profiles | None = None
        self._client: Client | None = None
        self.keyring_limit_s: float | None = None
        """Seconds that a call of the keyring may take; None to decide by the terminal."""
        self._keyring: BoundedKeyring | None = None
        self._renewed: dict[str, Any] | None = None
        """The token pair that this run was given last."""

    @property
    def profiles(self) -> Profiles:
        """The configuration file, read when it is first needed."""
        if self._profiles is None:
            self._profiles = Profiles(folder())
        return self._profiles

    @property
    def profile(self) -> str:
        """The profile that counts: the option's, `REDCORE_PROFILE`, or the one that `auth switch` chose."""
        return self.profile_option or os.environ.get(PROFILE_VARIABLE) or self.profiles.default

    def setting(self, name: str) -> Setting:
        """Return a setting: of an option, a variable, the profile, or the default; in this order."""
        if name in self.overrides:
            return Setting(self.overrides[name], f"--{name.replace('_', '-')}")
        if os.environ.get(SETTINGS[name]):
            return Setting(os.environ[SETTINGS[name]], SETTINGS[name])
        kept = self.profiles.settings(self.profile)
        if name in kept:
            return Setting(str(kept[name]), f"profile {self.profile}")
        return Setting(DEFAULTS.get(name), "default")

    @property
    def base_url(self) -> Setting:
        """The address of the API; that of an environment if none is given."""
        given, environment = self.setting("base_url"), self.setting("environment")
        by_argument = environment.origin.startswith("--") and not given.origin.startswith("--")
        if given.value is not None and not by_argument:
            return given
        return Setting(URLS.get(environment.value or "", environment.value), environment.origin)

    @property
    def credential_origin(self) -> str | None:
        """The variable that holds the credentials; None where the profile's login counts."""
        if self.profile_option is not None:
            return None
        if os.environ.get("REDCORE_API_KEY"):
            return "REDCORE_API_KEY"
        if os.environ.get("REDCORE_CLIENT_ID") and os.environ.get("REDCORE_CLIENT_SECRET"):
            return "REDCORE_CLIENT_ID and REDCORE_CLIENT_SECRET"
        return None

    def vault(self) -> Vault | None:
        """Return where the profile's secrets are; None before its first login."""
        storage = self.profiles.settings(self.profile).get("storage")
        if storage is None:
            return None
        from redcore.cli.vault import Vault as Found  # noqa: PLC0415 (imports the SDK)
        from redcore.cli.vault import in_file  # noqa: PLC0415 (as above)

        return Found(self.profile, self.keyring()) if storage == "keyring" else in_file(folder(), self.profile)

    def keyring(self) -> BoundedKeyring:
        """Return the keyring, opened once: that takes a probe of its own.

        Raises:
            ConfigurationError: the extra `keyring` is not installed.
        """
        if self._keyring is None:
            from redcore.cli.keyring_calls import BoundedKeyring as Opened  # noqa: PLC0415 (imports the SDK)
            from redcore.tokens import KeyringCache  # noqa: PLC0415 (as above)

            by_terminal = KEYRING_AT_TERMINAL_LIMIT_S if self.terminal.interactive else KEYRING_LIMIT_S
            self._keyring = Opened(
                KeyringCache(KEYRING, strict=True),
                limit_s=self.keyring_limit_s or by_terminal,
                on_slow=self._note_slow_keyring,
            )
        return self._keyring

    def _note_slow_keyring(self) -> None:
        if self.terminal.interactive:
            self.terminal.note("Waiting for the keyring: unlock it if it asks you to, or press Ctrl-C.")

    def addresses(self) -> dict[str, Any]:
        """Return the options of a client that say where the platform is."""
        return {"base_url": self.base_url.value, "auth_url": self.setting("auth_url").value, **self.limits()}

    def limits(self) -> dict[str, Any]:
        """Return the options of a client that are numbers, checked.

        Raises:
            click.UsageError: one is not a number.
        """
        return {"timeout": self._number("timeout", float), "max_retries": self._number("max_retries", int)}

    def _number(self, name: str, kind: Callable[[str], Any]) -> Any:
        setting = self.setting(name)
        try:
            return kind(setting.value or "")
        except ValueError:
            raise click.UsageError(f"{name} must be a number; {setting.origin} has {setting.value!r}.") from None

    def client(self) -> Client:
        """Return the client of this run.

        Raises:
            NotLoggedInError: there are no credentials for the address.
            ConfigurationError: a setting is wrong.
        """
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> Client:
        from redcore import Client as Sdk  # noqa: PLC0415 (the SDK is loaded for calls only)
        from redcore.cli.tracing import tracing  # noqa: PLC0415 (as above)
        from redcore.cli.vault import API_KEY  # noqa: PLC0415 (as above)

        options: dict[str, Any] = {
            **self.addresses(),
            "hooks": tracing(self.terminal) if self.terminal.verbosity else None,
            "on_token_refreshed": self._note_renewed,
        }
        if self.credential_origin is not None:
            return Sdk(**options)
        vault = self.vault()
        kept = None if vault is None else vault.read()
        if vault is None or kept is None:
            way = "`, or set REDCORE_API_KEY" if self.profile_option is None else f" --profile {self.profile}`"
            raise NotLoggedInError(f"not logged in (profile {self.profile}): run `redcore auth login{way}")
        self._check_origin()
        if kept.token_type == API_KEY:
            return Sdk(api_key=kept.access_token, **options)
        client_id = self.profiles.settings(self.profile).get("client_id")
        return Sdk.from_tokens(kept, client_id=client_id, token_cache=vault.as_token_cache(), **options)

    def access_token(self) -> str:
        """Return an access token that works now, or the API key of the profile.

        Raises:
            NotLoggedInError: there is none.
        """
        from redcore.cli.vault import API_KEY  # noqa: PLC0415 (the SDK is loaded for calls only)
        from redcore.exceptions import PermissionError  # noqa: A004, PLC0415 (the contract's name; as above)

        vault = self.vault()
        kept = None if vault is None else vault.read()
        if vault is not None and kept is not None and kept.token_type == API_KEY:
            return kept.access_token
        with contextlib.suppress(PermissionError):  # the token is good, though not for this
            self.client().users.get_me()
        if self._renewed is not None:
            return str(self._renewed["access_token"])
        assert kept is not None  # noqa: S101 (a session that needed no renewal is a kept one)
        return kept.access_token

    def _check_origin(self) -> None:
        """See that the secrets of a login go to the address that they were given by."""
        home = self.profiles.settings(self.profile).get("origin")
        address = origin_of(self.base_url.value or "")
        if home != address:
            raise NotLoggedInError(
                f"profile {self.profile} is logged in at {home}, not at {address} ({self.base_url.origin}): "
                "run `redcore auth login` for this address in a profile of its own"
            )

    def _note_renewed(self, pair: dict[str, Any]) -> None:
        self._renewed = pair

    def close(self) -> None:
        """Close the client, if there is one."""
        if self._client is not None:
            self._client.close()


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
