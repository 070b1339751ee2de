"""HTTP/2, spoken by a given httpx client, against a server of the reference implementation of its frames."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
from tests.client.colours import Colour
from tests.client.loopback import user


class Http2:
    """Answers every request with a user, over plain connections whose client knows that they are HTTP/2."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def serve(self) -> None:
        """Serve one connection."""
        connection, _ = self._listener.accept()
        with suppress(OSError), connection:
            frames = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            frames.initiate_connection()
            connection.sendall(frames.data_to_send())
            while data := connection.recv(65536):
                for event in frames.receive_data(data):
                    self._react(frames, event)
                connection.sendall(frames.data_to_send())

    def _react(self, frames: h2.connection.H2Connection, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = {bytes(name): bytes(value) for name, value in event.headers}
            self.paths.append(headers[b":path"].decode())
        if isinstance(event, h2.events.StreamEnded):
            frames.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/json")])
            frames.send_data(event.stream_id, user().body, end_stream=True)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def http2() -> Iterator[Http2]:
    server = Http2()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    thread.join(30)
    server.close()


def test_a_given_http2_client(call: Colour, make: Any, http2: Http2) -> None:
    """Calls share one connection, as streams of it."""
    kind: Any = httpx.Client if call.name == "sync" else httpx.AsyncClient
    brought = kind(http1=False, http2=True)
    client = make(http_client=brought, base_url=http2.base_url)

    assert call(client.users.get, "usr_1").id == "usr_1"
    assert call(client.users.get, "usr_2").id == "usr_1"

    assert http2.paths == ["/v1/users/usr_1", "/v1/users/usr_2"]
    call(brought.close if call.name == "sync" else brought.aclose)
