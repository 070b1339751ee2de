"""How the modules of the auth service offer their addresses: `app` merges what each `routes` returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

Routes = Mapping[str, Mapping[str, Handler]]
"""Path to method to handler; a path that ends with a slash stands for every path one segment below it."""
