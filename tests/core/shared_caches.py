# ruff: noqa: ARG002 - fakes take what the protocol says
"""Token caches as other processes would see them, and the calls that use them."""

from __future__ import annotations

from collections.abc import Callable

from tests.core.world import START

from redcore._call.authenticator import LEASE_MARGIN_S
from redcore._call.credentials import Credentials
from redcore.tokens import TokenSet

APP = Credentials(client_id="app_1", client_secret="secret-of-the-app")
PERSON = Credentials(client_id="app_1", access_token="access-0", refresh_token="refresh-0")


class Shared:
    """A cache as other processes would see it; the test decides what they do."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.stored: dict[str, TokenSet] = {}
        self.holder: str | None = None
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.fails_at: str | None = None
        self.meanwhile: list[Callable[[], object]] = []

    def get(self, key: str) -> TokenSet | None:
        self._ask("get")
        return self.stored.get(key)

    def set(self, key: str, tokens: TokenSet) -> None:
        self._ask("set")
        self.stored[key] = tokens

    def delete(self, key: str) -> None:
        self._ask("delete")
        self.stored.pop(key, None)

    def try_lock(self, key: str, lease_s: float) -> bool:
        self._ask("try_lock")
        assert lease_s == 60.0 + LEASE_MARGIN_S
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.holder is None:
            self.holder = "us"
            return True
        return False

    def unlock(self, key: str) -> None:
        self._ask("unlock")
        assert self.holder == "us"
        self.holder = None

    @property
    def is_held(self) -> bool:
        """Return whether the lock is held."""
        return self.holder is not None

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.fails is not None:
            raise self.fails
        if self.fails_at == name:
            raise OSError


def fresh(access: str, refresh: str | None = None) -> TokenSet:
    return TokenSet(access_token=access, refresh_token=refresh, expires_at=START + 3600, issued_at=START)
