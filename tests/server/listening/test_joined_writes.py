"""The head of a response is sent with the first part of its body."""

from __future__ import annotations

import asyncio

import pytest

from redcore_server.listening.joined_writes import JoinedWrites

pytestmark = pytest.mark.anyio


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override] # nothing else is written
        assert not self.is_closed
        self.packets.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def joined(wire: Wire) -> JoinedWrites:
    return JoinedWrites(wire, asyncio.get_running_loop())


async def test_head_and_body_are_one_write(joined: JoinedWrites, wire: Wire) -> None:
    """At once: the body does not wait for the event loop."""
    joined.write(b"head ")
    joined.write(b"body")

    assert wire.packets == [b"head body"]


async def test_a_head_without_a_body_is_sent_at_the_next_turn_of_the_loop(joined: JoinedWrites, wire: Wire) -> None:
    """A download may take long to find its first byte."""
    joined.write(b"head")
    await asyncio.sleep(0)

    assert wire.packets == [b"head"]


async def test_all_data_is_sent_once_and_in_order(joined: JoinedWrites, wire: Wire) -> None:
    """Many parts in one turn, and over several."""
    for turn in range(3):
        for part in range(5):
            joined.write(b"%d%d " % (turn, part))
        await asyncio.sleep(0)

    assert b"".join(wire.packets) == b"".join(b"%d%d " % (turn, part) for turn in range(3) for part in range(5))


async def test_closing_sends_the_held_head(joined: JoinedWrites, wire: Wire) -> None:
    """The answer to a HEAD has no second part."""
    joined.write(b"head")
    joined.close()

    assert (wire.packets, wire.is_closed) == ([b"head"], True)
    assert joined.is_closing()


async def test_a_lost_connection_is_not_written_to(joined: JoinedWrites, wire: Wire) -> None:
    """It was lost between the head and the turn of the loop."""
    joined.write(b"head")
    wire.close()
    await asyncio.sleep(0)

    assert wire.packets == []
