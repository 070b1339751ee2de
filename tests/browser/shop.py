"""The application that people come from and return to: a loopback address that records its visits."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self

from tests.contract.people import parameters

TITLE = "Back at the shop"


class Shop:
    """Listens on a free port, for a `with` block."""

    def __init__(self) -> None:
        self.redirects: list[dict[str, str]] = []
        """The query of each visit."""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/callback"):
                    shop.redirects.append(parameters(self.path))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html><title>{TITLE}</title>".encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def callback(self) -> str:
        """The redirect URI."""
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
