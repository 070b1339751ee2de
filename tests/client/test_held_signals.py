"""Signals that are held back, and delivered later: each once, and to the handlers of the application."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
from tests.client.pressing import interrupt

from redcore._base.interrupts import Interrupts

pytestmark = pytest.mark.usefixtures("ctrl_c")


def test_a_second_one_is_delivered_at_once() -> None:
    """A second Ctrl-C does not wait."""
    interrupts = Interrupts()
    interrupts.hold()
    interrupt()

    with pytest.raises(KeyboardInterrupt):
        interrupt()

    assert not interrupts.are_held


def test_each_signal_is_delivered() -> None:
    """One that raises does not lose the others."""
    delivered: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: delivered.append(number))
    try:
        interrupts = Interrupts()
        interrupts.hold()
        interrupt()
        signal.raise_signal(signal.SIGUSR1)
        assert delivered == []
        with pytest.raises(KeyboardInterrupt):
            interrupts.deliver()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert delivered == [signal.SIGUSR1]


@pytest.mark.parametrize("library", ["asyncio", "uvloop"])
def test_a_handler_of_an_event_loop_is_called_once(library: str) -> None:
    """The loop has noticed the signal while it was deferred."""
    calls: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, calls.append, signal.SIGUSR1)
        interrupts = Interrupts()
        interrupts.hold()
        signal.raise_signal(signal.SIGUSR1)
        interrupts.deliver()
        while not calls:  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop.remove_signal_handler(signal.SIGUSR1)

    pytest.importorskip(library).run(main())

    assert calls == [signal.SIGUSR1]


def test_a_handler_set_meanwhile_stays() -> None:
    """For example by the callback that gets the new pair."""
    interrupts = Interrupts()
    interrupts.hold()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    interrupts.deliver()

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_request_to_end_without_a_handler_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As SIGTERM of a container runtime; an alarm that ends a process that hangs does not wait."""
    delivered: list[tuple[int, object]] = []
    monkeypatch.setattr(signal, "raise_signal", lambda number: delivered.append((number, signal.getsignal(number))))
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGALRM)}
    try:
        interrupts = Interrupts()
        interrupts.hold()
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        assert delivered == []
        interrupts.deliver()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert delivered == [(signal.SIGHUP, signal.SIG_DFL)]


def test_an_ignored_signal_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process in the background."""
    monkeypatch.setattr("redcore._base.interrupts.SIGNALS", (signal.SIGINT,))  # coverage handles SIGTERM
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts = Interrupts()

    interrupts.hold()

    assert not interrupts.are_held
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_delay_no_interrupt() -> None:
    """Signals are delivered in the main thread only."""
    interrupts = Interrupts()
    thread = threading.Thread(target=interrupts.hold)
    thread.start()
    thread.join()

    assert not interrupts.are_held
