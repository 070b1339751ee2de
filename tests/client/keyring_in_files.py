"""A backend of `keyring` that processes share, as a desktop's is: an entry is a file of $TEST_KEYRING.

Chosen by `PYTHON_KEYRING_BACKEND=keyring_in_files.FileKeyring`, as users choose theirs.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class FileKeyring(KeyringBackend):
    """Each access is atomic; several together are not, as with any keyring."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        file = file_of(service, username)
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        file = file_of(service, username)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(password)
        fresh.replace(file)

    def delete_password(self, service: str, username: str) -> None:
        file_of(service, username).unlink()


def file_of(service: str, username: str) -> Path:
    name = hashlib.sha256(f"{service}\0{username}".encode()).hexdigest()
    return Path(os.environ["TEST_KEYRING"], name)
