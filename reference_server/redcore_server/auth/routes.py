"""How the modules of the auth service offer their addresses: `app` merges what each `routes` returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

Routes = Mapping[str, Mapping[str, Handler]]
"""Path to method to handler; a path that ends with a slash stands for every path one segment below it."""


def path_of(request: Request) -> str:
    """Return the path that was asked for; the parser behind `request.url` drops line breaks, which makes it another."""
    return cast("str", request.scope["path"])
