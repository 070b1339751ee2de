"""A WSGI application for gunicorn with preload: the client is made before the fork.

`redcore-server run -- gunicorn --chdir examples --preload --workers 4 gunicorn_app:app`
"""

from collections.abc import Callable, Iterable
from typing import Any

from redcore import Client, RedcoreError

client = Client()


def app(
    _environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer with the number of products."""
    try:
        total = client.products.list(limit=1).meta.total
    except RedcoreError as error:
        start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
        return [f"{error}\n".encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{total} products\n".encode()]
