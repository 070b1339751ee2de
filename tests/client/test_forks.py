"""Clients in a process that forks: the child shares no connection with its parent."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable
from typing import Any, cast

import pytest
from tests.client.async_clients import KEY, ON_ASYNCIO, opened
from tests.client.loopback import Loopback

from redcore import Client, ConfigurationError
from redcore._base.interrupts import interrupts
from redcore._transport.connections import MAX_CONNECTIONS


def called_in_a_process(client: Client, name: str) -> str:
    return client.users.get(name).id


def in_a_fork(function: Callable[[], object]) -> int:
    """Return the exit status of a child that runs a function."""
    with warnings.catch_warnings():  # the server of the test has threads, which the child does not use
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            gc.collect()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_of_a_used_client(server: Loopback) -> None:
    """Parent and child have connections of their own; those of the parent stay usable."""
    with Client(api_key=KEY, base_url=server.base_url) as client:
        client.users.get_me()

        def in_child() -> None:
            assert client.users.get("usr_2").id == "usr_1"
            client.close()

        assert in_a_fork(in_child) == 0
        client.users.get("usr_3")

    assert server.accepted == 2
    assert [seen.path for seen in server.seen] == ["/v1/me", "/v1/users/usr_2", "/v1/users/usr_3"]


@ON_ASYNCIO
def test_a_fork_of_a_used_async_client(server: Loopback, transport: Any) -> None:
    """As above, with the parent's event loop still running."""
    client = opened(server, transport=transport)

    async def parent() -> None:
        await client.users.get_me()
        assert in_a_fork(lambda: asyncio.run(in_child())) == 0
        await client.users.get("usr_3")
        await client.aclose()

    async def in_child() -> None:
        await client.users.get("usr_2")
        await client.aclose()

    asyncio.run(parent())

    assert server.accepted == 2
    assert [seen.path for seen in server.seen] == ["/v1/me", "/v1/users/usr_2", "/v1/users/usr_3"]


def test_a_fork_after_clients_that_could_not_be_made(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """They leave nothing behind that keeps the child from connections of its own."""
    with Client(api_key=KEY, base_url=server.base_url) as client:
        monkeypatch.setenv("SSL_CERT_FILE", "/missing")
        failures = []
        for _ in range(3):
            with pytest.raises(ConfigurationError) as caught:
                Client(api_key=KEY, base_url=server.base_url)
            failures.append(caught.value)
        client.users.get_me()

        assert in_a_fork(client.users.get_me) == 0

    assert server.accepted == 2


def test_a_fork_where_one_client_cannot_be_reset(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others can."""
    with (
        Client(api_key=KEY, base_url=server.base_url) as client,
        Client(api_key=KEY, base_url=server.base_url) as other,
    ):
        for each in (client, other):
            each.users.get_me()
        monkeypatch.setattr(cast("Any", other._transport)._own, "begin_anew", lambda: 1 / 0)

        assert in_a_fork(client.users.get_me) == 0

    assert server.accepted == 3


def test_a_fork_while_signals_are_deferred() -> None:
    """The child handles them as the application does: another thread may fork while this one refreshes a token."""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)  # coverage sets a handler of SIGTERM in a child
    interrupts.hold()

    def in_child() -> None:
        assert signal.getsignal(signal.SIGUSR1) is signal.default_int_handler
        assert not interrupts.are_held

    try:
        assert in_a_fork(in_child) == 0
        assert interrupts.are_held
    finally:
        interrupts.deliver()
        signal.signal(signal.SIGUSR1, before)


def test_a_fork_while_all_connections_are_in_use(server: Loopback) -> None:
    """The child waits for no connection: the threads that hold them do not exist in it."""
    with Client(api_key=KEY, base_url=server.base_url) as client:
        client.users.get_me()
        slots = cast("Any", client._transport)._own._slots
        in_use = [slots.take(1.0) for _ in range(MAX_CONNECTIONS)]

        assert in_a_fork(client.with_options(timeout=5, max_retries=0).users.get_me) == 0
        assert len(in_use) == MAX_CONNECTIONS


def test_a_process_that_multiprocessing_forks(server: Loopback) -> None:
    """A client can be passed to the process."""
    with Client(api_key=KEY, base_url=server.base_url) as client:
        client.users.get_me()
        with warnings.catch_warnings():  # as above
            warnings.simplefilter("ignore", DeprecationWarning)
            process = multiprocessing.get_context("fork").Process(target=called_in_a_process, args=(client, "usr_2"))
            process.start()
        process.join(30)

        assert process.exitcode == 0
        client.users.get("usr_3")

    assert server.accepted == 2
