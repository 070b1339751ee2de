"""Route tables of the auth service: `app` merges what each module's `routes` returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

Routes = Mapping[str, Mapping[str, Handler]]
"""Handlers by path, then method; a path with a trailing slash matches every path one segment below it."""


def path_of(request: Request) -> str:
    """Return the requested path; the parser behind `request.url` drops line breaks, which changes the path."""
    return cast("str", request.scope["path"])
