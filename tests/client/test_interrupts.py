"""Ctrl-C while a blocking client refreshes its token: the call ends, and the pair is not lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client.loopback import Loopback, Raw, Reply, Seen, pair, user

from redcore import Client
from redcore._base.interrupts import Interrupts
from redcore.tokens import FileCache


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Let SIGINT interrupt, also where the tests run in the background and inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    """Press Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_an_interrupt_waits_until_the_refreshed_pair_is_stored(server: Loopback, tmp_path: Path) -> None:
    """The call ends with KeyboardInterrupt before it is sent; the next process uses the new pair."""

    def answer(seen: Seen) -> Reply | Raw:
        if seen.path == "/oauth/token":
            interrupt()
            return pair(2)
        return user()

    server.answer = answer
    pairs: list[dict[str, Any]] = []
    options: Any = {"client_id": "app_1", "client_secret": "s", "base_url": server.base_url}
    with Client(token_cache=FileCache(tmp_path / "t"), on_token_refreshed=pairs.append, **options) as client:
        with pytest.raises(KeyboardInterrupt):
            client.users.get("usr_1")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert [seen.path for seen in server.seen] == ["/oauth/token"]
        assert [tokens["access_token"] for tokens in pairs] == ["access-2"]

    with Client(token_cache=FileCache(tmp_path / "t"), **options) as client:
        assert client.users.get("usr_1").id == "usr_1"

    assert [seen.path for seen in server.seen] == ["/oauth/token", "/v1/users/usr_1"]


def test_an_interrupt_of_any_other_request_is_delivered_at_once(server: Loopback) -> None:
    """Interrupts are delayed only while a token is refreshed."""
    released = threading.Event()

    def answer(_: Seen) -> Reply:
        interrupt()
        released.wait(5.0)
        return user()

    server.answer = answer
    with Client(api_key="rk_test_1", base_url=server.base_url) as client, pytest.raises(KeyboardInterrupt):
        client.users.get("usr_1")
    assert not released.is_set()
    released.set()


class TestInterrupts:
    def test_a_second_one_is_delivered_at_once(self) -> None:
        """A second Ctrl-C does not wait."""
        interrupts = Interrupts()
        interrupts.hold()
        interrupt()

        with pytest.raises(KeyboardInterrupt):
            interrupt()

        assert not interrupts.are_held

    def test_an_ignored_signal_stays_ignored(self) -> None:
        """As in a process in the background."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        interrupts = Interrupts()

        interrupts.hold()

        assert not interrupts.are_held
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    def test_other_threads_delay_no_interrupt(self) -> None:
        """Signals are delivered in the main thread only."""
        interrupts = Interrupts()
        thread = threading.Thread(target=interrupts.hold)
        thread.start()
        thread.join()

        assert not interrupts.are_held
