"""No secret is in a text, a log line or a pickle: shown with canaries, also when the server echoes them."""

from __future__ import annotations

import logging
import pickle
import socket
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from tests.client.colours import OWN_TRANSPORTS, Colour, named
from tests.client.loopback import Loopback, Reply, Seen, pair, refusal, reply, reset

from redcore import ArgumentError, RedcoreError

KEY = "rk_live_canary-key"
SECRET = "canary-secret"
ACCESS = "canary-access"
REFRESH = "canary-refresh"
CANARIES = (KEY, SECRET, ACCESS, REFRESH, "canary")
APP = {"client_id": "app_1", "client_secret": SECRET}
SESSION = {**APP, "access_token": ACCESS, "refresh_token": REFRESH}
NEW = {"access_token": f"{ACCESS}-2", "refresh_token": f"{REFRESH}-2"}


def texts(error: RedcoreError) -> Iterator[str]:
    """Return all visible parts of an error."""
    yield from (str(error), repr(error), pickle.dumps(error).decode("latin-1"))
    yield "".join(traceback.format_exception(error))
    yield repr(vars(error))
    response = getattr(error, "response", None)
    if response is not None:
        yield response.text


def echo(seen: Seen) -> Reply:
    """Repeat the request in the error, as a careless server does."""
    echoed = f"bad credentials {dict(seen.headers)} {seen.body.decode()}"
    if seen.path == "/oauth/token":
        return reply({"error": "invalid_grant", "error_description": echoed}, 400)
    details = [{"field": echoed, "issue": echoed}]
    return reply({"error": {"code": echoed, "message": echoed, "docs": echoed, "details": details}}, 401)


SERVERS: dict[str, Any] = {
    "a careless one": echo,
    "one that resets": lambda _: reset,
    "one that fails": lambda _: refusal(500),
    "one that answers HTML": lambda _: Reply(200, b"<html>"),
    "one whose tokens have no type": lambda seen: reply(NEW) if seen.path == "/oauth/token" else refusal(401),
    "one whose tokens have spaces": lambda seen: (
        pair(1, access_token=f"{ACCESS} 2") if seen.path == "/oauth/token" else refusal(401)
    ),
    "one that breaks off its tokens": lambda seen: (
        Reply(200, b'{"access_token": "canary-new') if seen.path == "/oauth/token" else refusal(401)
    ),
    "one that refuses new tokens": lambda seen: pair(1, **NEW) if seen.path == "/oauth/token" else echo(seen),
}


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("credentials", [{"api_key": KEY}, APP, SESSION], ids=["key", "application", "session"])
def test_no_error_shows_a_secret(  # noqa: PLR0917 (fixtures are given by name)
    call: Colour,
    make: Any,
    server: Loopback,
    credentials: dict[str, str],
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Texts, tracebacks, pickles and the debug logs of the HTTP library hold no canary."""
    caplog.set_level(logging.DEBUG)
    server.answer = SERVERS[kind]
    client = make(max_retries=0, **credentials)

    with pytest.raises(RedcoreError) as caught:
        call(client.users.get, "usr_1")

    found = {canary for text in texts(caught.value) for canary in CANARIES if canary in text}
    assert found == set()
    assert not {canary for canary in CANARIES if canary in caplog.text}
    assert not {canary for canary in CANARIES if canary in repr((client, vars(client), client._engine))}


UNREAD = b'{"access_token": "canary-access"}\r\n\r\n\r\n'


@pytest.mark.parametrize("colour", OWN_TRANSPORTS, ids=named)
@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 204 Any\r\nContent-Length: 40\r\n\r\n" + UNREAD,
        UNREAD,
        b"HTTP/1.1 200 Any\r\nX-Any: \0" + UNREAD,
        b"HTTP/1.1 200 Any\r\nLocation: /?token=canary-access\r\nX-Any: canary",
    ],
    ids=["of an empty answer", "without a head", "in a header", "in half a head"],
)
def test_no_error_quotes_unreadable_bytes(call: Colour, make: Any, server: Loopback, data: bytes) -> None:
    """Parsers quote what they do not understand, which may be tokens; not even the traceback shows it."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.close()

    server.answer = lambda _: answer
    client = make(max_retries=0, **APP)

    with pytest.raises(RedcoreError) as caught:
        call(client.users.get, "usr_1")

    assert {text for text in texts(caught.value) if "canary" in text} == set()


def test_a_header_of_the_application_is_not_repeated(call: Colour, make: Any, server: Loopback) -> None:
    """A refused value is not quoted; receivers strip white space at its ends, so it is refused everywhere."""
    client = make()

    with pytest.raises(ArgumentError, match="white space at its ends") as caught:
        call(lambda: client.with_options(headers={"X-Secret": " canary "}).users.get("usr_1"))

    assert "canary" not in str(caught.value)
    assert server.seen == []
