"""Connecting: names are resolved and their addresses raced within one deadline, in every event loop."""

from __future__ import annotations

import asyncio
import errno
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal
from tests.client.colours import COLOURS, LOOPS, OWN_TRANSPORTS, Colour, named
from tests.client.conftest import EVERY_TRANSPORT
from tests.client.loopback import Loopback, names_asked_for

from redcore import AsyncClient, NetworkError
from redcore._transport import connecting
from redcore._transport.address import address
from redcore._transport.connecting import connect, connect_async, interleaved

NAME = "several.localhost"
OF_SEVERAL_PORTS = [one for one in (OWN_TRANSPORTS if EVERY_TRANSPORT else COLOURS) if one[1] != "aiohttp"]
"""aiohttp connects to the port of the URL at every address."""
Connect = Callable[..., socket.socket]


@pytest.fixture(params=["sync", *LOOPS])
def opened(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Connect:
    """Connect by blocking, or in a kind of event loop."""

    def run(host: str, port: int, within_s: float = 10.0) -> socket.socket:
        ends_at = time.monotonic() + within_s
        if request.param == "sync":
            return connect(host, port, ends_at)
        return portals[request.param].call(connect_async, host, port, ends_at)

    return run


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts no connection: the queue of its listener is full, so that a request to connect is dropped."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 (of the socket)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def refused() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a name resolve to these ports of this machine; the system then orders nothing itself."""

    def resolve(*ports: int) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return resolve


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let names resolve only when the test is over."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
    yield
    over.set()


def test_the_zone_of_an_address(opened: Connect, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL has `%25` before it, and no header has it, as it is valid on this machine only (RFC 6874)."""
    where = address(f"https://[fe80::1%25eth0]:{server.port}")
    asked = names_asked_for(monkeypatch, server)

    opened(where.host, where.port).close()

    assert asked == ["fe80::1%eth0"]
    assert where.header == f"[fe80::1]:{server.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_and_a_name(opened: Connect, server: Loopback, host: str) -> None:
    """The socket is connected, does not block, and sends small pieces at once."""
    with closing(opened(host, server.port)) as sock:
        assert sock.getpeername()[1] == server.port
        assert sock.gettimeout() == 0.0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_black_hole_costs_the_stagger(
    opened: Connect, server: Loopback, black_hole: int, resolve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8305: the next address is tried while the first one is silent."""
    monkeypatch.setattr(connecting, "STAGGER_S", 0.01)
    resolve(black_hole, black_hole, server.port)

    opened(NAME, 1).close()

    assert server.ended.acquire(timeout=30)


def test_a_refusal_costs_nothing(
    opened: Connect, server: Loopback, refused: int, resolve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When an address refuses, the next one is tried at once."""
    monkeypatch.setattr(connecting, "STAGGER_S", 60.0)
    resolve(refused, refused, server.port)

    opened(NAME, 1).close()

    assert server.ended.acquire(timeout=30)


def test_a_family_that_the_system_does_not_have(
    opened: Connect, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its addresses are skipped."""
    found = [(250, 1, 6, "", ("x", 1)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    opened(NAME, 1).close()

    assert server.ended.acquire(timeout=30)


def test_all_addresses_refuse(opened: Connect, refused: int, resolve: Any) -> None:
    """The error has the reason, once for all addresses with the same one, and names the host."""
    resolve(refused, refused)

    with pytest.raises(OSError, match=r"^\[Errno \d+\] Connection refused: several\.localhost, port 1$"):
        opened(NAME, 1)


@pytest.mark.parametrize("what", ["connect", "__init__"])
def test_a_tool_that_blocks_the_network(
    opened: Connect, server: Loopback, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """What pytest-socket and pytest-recording raise is the reason why there is no connection."""

    def block(*_: object, **__: object) -> None:
        raise RuntimeError("the network is blocked")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, what, block)
        with pytest.raises(OSError, match=r"^the network is blocked: 127\.0\.0\.1, port \d+$"):
            opened("127.0.0.1", server.port)

    assert server.accepted == 0


def test_a_name_without_addresses(opened: Connect, resolve: Any) -> None:
    """The error says so."""
    resolve()

    with pytest.raises(OSError, match="the name has no address"):
        opened(NAME, 1)


def test_addresses_of_a_python_without_ipv6(opened: Connect, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of IPv6 are bytes there, and are passed over."""
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (10, bytes(26))),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    opened(NAME, server.port).close()


def test_a_name_that_does_not_resolve(opened: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the name, which the system's own lacks."""

    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(OSError, match=r"Name or service not known: several\.localhost, port 1$"):
        opened(NAME, 1)


def test_all_addresses_share_the_time(opened: Connect, black_hole: int, resolve: Any) -> None:
    """However many addresses there are, they share one time-out."""
    resolve(*[black_hole] * 3)

    with pytest.raises(TimeoutError):
        opened(NAME, 1, within_s=0.05)


def test_a_name_that_does_not_resolve_in_time(opened: Connect, stuck: None) -> None:
    """It is waited for only until the deadline, though the system call cannot be interrupted."""
    with pytest.raises(TimeoutError):
        opened(NAME, 1, within_s=0.05)


def test_lookups_of_one_name_at_the_same_time(opened: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share a thread: while names do not resolve, each call would leave one behind; a later lookup is new."""
    asked, over = threading.Semaphore(0), threading.Event()

    def resolve(*_: object) -> list[Any]:
        asked.release()
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(connecting, "SHARED_S", math.inf)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            opened(NAME, 1, within_s=0.05)
    assert (asked.acquire(timeout=30), asked.acquire(blocking=False)) == (True, False)

    monkeypatch.setattr(connecting, "SHARED_S", 0.0)
    with pytest.raises(TimeoutError):
        opened(NAME, 1, within_s=0.05)
    assert asked.acquire(timeout=30)
    over.set()


def test_a_deadline_that_has_passed(opened: Connect, server: Loopback) -> None:
    """No address is tried."""
    with pytest.raises(TimeoutError):
        opened("127.0.0.1", server.port, within_s=-1.0)


def test_names_resolve_where_no_thread_can_start(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at interpreter shutdown, in a handler of `atexit`."""
    started = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "redcore-resolve":
            raise RuntimeError("can't create new thread at interpreter shutdown")
        started(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    connect("localhost", server.port, time.monotonic() + 10).close()


def test_families_take_turns() -> None:
    """RFC 8305 section 4: a family with many addresses does not delay the other; the system's first is first."""
    v6, v4 = socket.AF_INET6, socket.AF_INET

    mixed = interleaved([(v6, ("a",)), (v6, ("b",)), (v6, ("c",)), (v4, ("d",)), (v4, ("e",))])

    assert mixed == [(v6, ("a",)), (v4, ("d",)), (v6, ("b",)), (v4, ("e",)), (v6, ("c",))]


# Calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"timeout": 0.05}, {"deadline": 0.05}], ids=str)
def test_a_call_bounds_resolution(call: Colour, make: Any, stuck: None, options: dict[str, float]) -> None:
    """Time-out and deadline of a call bound the resolution of its host's name too."""
    with pytest.raises(NetworkError):
        call(make(base_url=f"http://{NAME}:1/v1", max_retries=0, **options).users.get_me)


@pytest.mark.parametrize("transport", ["direct", "httpcore", "aiohttp"])
def test_a_call_to_a_name_without_addresses(transport: Any, resolve: Any) -> None:
    """The error says so over each transport."""
    resolve()

    async def main() -> None:
        options: dict[str, Any] = {"base_url": f"http://{NAME}:1/v1", "max_retries": 0}
        async with AsyncClient(api_key="k", transport=transport, **options) as client:
            await client.users.get_me()

    with pytest.raises(NetworkError, match=f"the name has no address: {NAME}, port 1"):
        asyncio.run(main())


@pytest.mark.parametrize("transport", ["direct", "httpcore", "aiohttp"])
@pytest.mark.usefixtures("stuck")
def test_an_event_loop_ends_while_a_name_resolves(transport: Any) -> None:
    """`asyncio.run` waits for the threads of its own executor, so lookups run outside it."""

    async def main() -> None:
        options: dict[str, Any] = {"base_url": f"https://{NAME}/v1", "max_retries": 0, "timeout": 0.05}
        async with AsyncClient(api_key="k", transport=transport, **options) as client:
            await client.users.get_me()

    with pytest.raises(NetworkError):
        asyncio.run(main())


@pytest.mark.parametrize("colour", OF_SEVERAL_PORTS, ids=named)
def test_a_call_passes_over_a_black_hole(  # noqa: PLR0917 (fixtures)
    call: Colour, make: Any, server: Loopback, black_hole: int, resolve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call succeeds in its first attempt."""
    monkeypatch.setattr(connecting, "STAGGER_S", 0.01)
    resolve(black_hole, server.port)

    assert call(make(base_url=f"http://{NAME}:1/v1", max_retries=0).users.get_me).id == "usr_1"


@pytest.mark.parametrize("transport", ["direct", "httpcore"])
def test_no_file_can_be_opened(monkeypatch: pytest.MonkeyPatch, server: Loopback, transport: Any) -> None:
    """The first call of an event loop, which loads what it needs, fails with our error; the next one works."""

    async def main() -> None:
        async with AsyncClient(
            api_key="rk_test_key", base_url=server.base_url, transport=transport, max_retries=0
        ) as client:
            with monkeypatch.context() as exhausted:
                exhausted.setattr(anyio, "Semaphore", refused)
                with pytest.raises(NetworkError, match="Too many open files"):
                    await client.users.get("usr_1")
            assert (await client.users.get("usr_1")).id == "usr_1"

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    asyncio.run(main())
