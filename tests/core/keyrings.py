"""Backends of `keyring` for tests: one that works, and others that fail in different ways."""

from __future__ import annotations

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

WINDOWS_BYTES = 2560  # CRED_MAX_CREDENTIAL_BLOB_SIZE


class Remembering(KeyringBackend):
    """Stores what it is given, as the keyrings of macOS and Linux do."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError(service)
        del self.kept[service, username]


class Windows(Remembering):
    """Refuses values that are too long for it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > WINDOWS_BYTES:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


class Truncating(Remembering):
    """Silently truncates values that are too long for it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:512])


class Locked(Remembering):
    """Stays locked; its error messages repeat what they were given."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service}/{username} is in a locked collection")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"{password} cannot be stored as {service}/{username}: the collection is locked")


class Hanging(Remembering):
    """Shows a prompt and waits, or its D-Bus does not answer."""

    priority = 0  # a chain of backends leaves it out

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait()
        return super().get_password(service, username)
