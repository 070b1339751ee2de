"""The page at `/` of a local server: links to everything."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import attrs
from starlette.types import Receive, Scope, Send

from redcore_server.auth.pages.render import render
from redcore_server.contract.methods import chosen
from redcore_server.settings import Settings

PATH: Final = "/"


@attrs.frozen
class StartPage:
    """An ASGI app that shows the page."""

    settings: Settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Return the page.

        Raises:
            MethodNotAllowed: The method is not GET.
        """
        chosen({"GET": self}, scope["method"])
        values = {
            "version": version("redcore-sdk"),
            "base_url": self.settings.base_url,
            "credentials": self.settings.credentials,
            "has_outbox": self.settings.shows_outbox,
        }
        await render("start", values=values)(scope, receive, send)
