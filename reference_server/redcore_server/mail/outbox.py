"""Reads the outbox: the mails of a server without a mail server, for programs and, at `/outbox`, for people.

Anyone who reads a mail can accept its invitation. So the page is served on this machine only, see
`Settings.shows_outbox`, and only under its own host name, which prevents DNS rebinding.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, Final

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from redcore_server.auth.pages.render import render
from redcore_server.errors import MethodNotAllowed, NotFound
from redcore_server.http.own_machine import is_of_own_machine

PATH: Final = "/outbox"
_SHOWN: Final = 100  # mails on the page, the newest ones; older ones stay in the folder
_LINK: Final = re.compile(r"https?://\S+/oauth/invitations/\S+")


def read_outbox(folder: Path) -> list[dict[str, str | None]]:
    """Return the mails, oldest first.

    Args:
        folder: Folder with one file `ID.eml` per mail; it need not exist.
    """
    return [_read(file) for file in _files(folder)]


def empty_outbox(folder: Path) -> None:
    """Delete the mails.

    Args:
        folder: Folder of the mails.
    """
    for file in folder.glob("*.eml"):
        file.unlink(missing_ok=True)


@attrs.frozen
class OutboxPage:
    """An ASGI app that shows the newest mails, each with its link.

    Attributes:
        folder: Folder of the mails.
    """

    folder: Path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Return the page.

        Raises:
            NotFound: It is a request of another site's page.
            MethodNotAllowed: The method is not GET.
        """
        request = Request(scope)
        if not is_of_own_machine(request):
            raise NotFound
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(["GET", "HEAD"])
        await (await run_in_threadpool(self._page))(scope, receive, send)

    def _page(self) -> Response:
        files = _files(self.folder)
        mails: list[dict[str, Any]] = [
            {**_read(file), "written_at": datetime.fromtimestamp(file.stat().st_mtime, UTC)}
            for file in reversed(files[-_SHOWN:])
        ]
        return render("outbox", values={"mails": mails, "count": len(files), "folder": self.folder})


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)


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
