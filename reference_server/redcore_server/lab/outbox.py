"""Reads the mails that the outbox holds."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Final

_LINK: Final = re.compile(r"https?://\S+/oauth/invitations/\S+")


def read_outbox(folder: Path) -> list[dict[str, str | None]]:
    """Return the mails, oldest first.

    Args:
        folder: with a file `ID.eml` for each; it need not exist.
    """
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [_read(file) for file in files]


def empty_outbox(folder: Path) -> None:
    """Delete the mails.

    Args:
        folder: as above.
    """
    for file in folder.glob("*.eml"):
        file.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, str | None]:
    message = message_from_bytes(file.read_bytes(), policy=default)
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body else ""
    link = _LINK.search(text)
    return {
        "id": file.stem,
        "to": str(message["To"]),
        "subject": str(message["Subject"]),
        "text": text,
        "link": link and link[0],
    }
