"""Opens TCP connections: resolves a name and races its addresses (RFC 8305), with one deadline for both.

    sock = connect("api.blueround.com", 443, ends_at=monotonic() + 30)
    sock = await connect_async("api.blueround.com", 443, ends_at=monotonic() + 30)

Both return a connected TCP socket in non-blocking mode, for `settimeout`, `trio.socket.from_stdlib_socket`
or `loop.create_connection(sock=...)`. TLS and proxies are up to the caller.

No operating system can interrupt `getaddrinfo`. It runs in a daemon thread, which is abandoned when the time is up, and
which does not keep an event loop or the program from ending.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import anyio
import attrs

from redcore._base.clock import monotonic
from redcore._base.signal_handlers import let_through
from redcore._transport.errors import BY_LOOPS

if TYPE_CHECKING:
    import asyncio

STAGGER_S = 0.25  # RFC 8305 section 5, "Connection Attempt Delay"
SHARED_S = 5.0  # resolv.conf(5): after which a resolver repeats a query; a later lookup may fare better
LONGEST_WAIT_S = 3600.0  # of one `select`, which counts milliseconds in a C int; then it waits again

Address: TypeAlias = tuple[int, tuple[Any, ...]]
"""Address family and socket address."""


def connect(host: str, port: int, ends_at: float) -> socket.socket:
    """Connect to the first address of a host that accepts.

    Args:
        host: An ASCII name, or an IP address without brackets.
        port: TCP port.
        ends_at: The deadline on the monotonic clock; `math.inf` for no limit.

    Raises:
        TimeoutError: the deadline has passed.
        OSError: the name does not resolve, or no address accepts.
        UnicodeError: the name is not a valid host name.
    """
    with named(host, port):
        return _race(_resolve(host, port, ends_at), ends_at)


async def connect_async(host: str, port: int, ends_at: float) -> socket.socket:
    """Like `connect`, in any asyncio event loop and in trio; can be cancelled at any time."""
    with named(host, port), anyio.fail_after(_left(ends_at)):
        return await _race_async(await resolve_async(host, port))


@contextmanager
def named(host: str, port: int) -> Generator[None]:
    """Say in an error which host cannot be reached, as the system's own message does not."""
    try:
        yield
    except TimeoutError:  # which is an OSError
        raise
    except OSError as problem:
        raise OSError(f"{problem}: {host}, port {port}") from problem


def give_up(sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Close a socket after `loop.create_connection(sock=...)` has failed or was cancelled.

    Until version 0.23, uvloop has then closed the descriptor behind the socket's back (MagicStack/uvloop#738): to close
    it again would be an OSError, or would close what another thread has opened since.
    """
    if type(loop).__module__.startswith("uvloop"):
        sock.detach()
    else:
        sock.close()


def _left(ends_at: float) -> float:
    left = ends_at - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


# Names ---------------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Lookup:
    """Resolves a name in a separate thread, for all who ask for it at that time.

    Args:
        host: The name.
        port: TCP port.
    """

    host: str
    port: int
    began_at: float = attrs.field(factory=monotonic)
    _waiting: list[Callable[[], object]] = attrs.field(factory=list[Callable[[], object]])
    _found: list[Address] | Exception | None = None

    @classmethod
    def join(cls, host: str, port: int, done: Callable[[], object]) -> _Lookup:
        """Share a lookup that has begun lately, or start one: while a name does not resolve, each holds a thread.

        Args:
            host: The name.
            port: TCP port.
            done: Called in the thread of the lookup when there is a result.
        """
        key = socket.getaddrinfo, host, port  # tests replace the function
        with _guard:
            lookup = _under_way.get(key)
            is_new = lookup is None or monotonic() - lookup.began_at > SHARED_S
            if lookup is None or is_new:
                lookup = _under_way[key] = cls(host, port)
            lookup._waiting.append(done)
        if is_new:
            lookup._start(key)
        return lookup

    def _start(self, key: object) -> None:
        """Start the thread; at interpreter shutdown, when no thread can be started, resolve synchronously."""
        try:
            threading.Thread(target=self._run, args=[key], name="redcore-resolve", daemon=True).start()
        except RuntimeError:
            self._run(key)

    def _run(self, key: object) -> None:
        try:
            host = self.host.replace("%25", "%")  # before the zone of an IPv6 address in a URL (RFC 6874)
            infos: Any = socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM)
            # A Python without IPv6 gives its addresses as bytes.
            found: list[Address] = [(family, where) for family, _, _, _, where in infos if isinstance(where[0], str)]
            self._found = interleaved(found) or OSError("the name has no address")
        except Exception as problem:  # noqa: BLE001 (raised by `result`)
            self._found = problem
        with _guard:
            if _under_way.get(key) is self:
                del _under_way[key]
        for done in self._waiting:
            done()

    def result(self) -> list[Address]:
        """Return the addresses, in the order in which to try them.

        Raises:
            TimeoutError: there is no result yet.
        """
        if self._found is None:
            raise TimeoutError
        if isinstance(self._found, Exception):
            raise self._found.with_traceback(None)
        return self._found


_under_way: dict[object, _Lookup] = {}
_guard = threading.RLock()  # a signal handler of the application may make a call, too


def _abandon() -> None:
    """Forget the lookups of the parent, in the child of a fork."""
    global _guard  # noqa: PLW0603 (another thread of the parent may hold it)
    _guard = threading.RLock()
    _under_way.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_abandon)


def _resolve(host: str, port: int, ends_at: float) -> list[Address]:
    if (numeric := _numeric(host, port)) is not None:
        return [numeric]
    done = threading.Event()
    lookup = _Lookup.join(host, port, done.set)
    done.wait(min(_left(ends_at), threading.TIMEOUT_MAX))
    return lookup.result()


async def resolve_async(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the order in which to try them; a lookup that is cancelled keeps no loop from ending.

    Raises:
        OSError: the name does not resolve.
        UnicodeError: the name is not a valid host name.
    """
    from redcore._transport.per_loop import call_in, running_loop  # noqa: PLC0415 (blocking code needs no asyncio)

    if (numeric := _numeric(host, port)) is not None:
        return [numeric]
    done, loop = anyio.Event(), running_loop()
    lookup = _Lookup.join(host, port, lambda: call_in(loop, done.set))
    await done.wait()
    return lookup.result()


def _numeric(host: str, port: int) -> Address | None:
    """Parse an IP address; None for a name, and for an IPv6 zone, whose number the system must look up."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    if "%" in host:
        return None
    return (socket.AF_INET, (host, port)) if version == 4 else (socket.AF_INET6, (host, port, 0, 0))


def interleaved(addresses: list[Address]) -> list[Address]:
    """Interleave the address families, beginning with that of the first address (RFC 8305 section 4)."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [address for address in chain.from_iterable(zip_longest(*families.values())) if address is not None]


# Races ---------------------------------------------------------------------------------------


def _race(addresses: list[Address], ends_at: float) -> socket.socket:
    """Connect to the first address that accepts; the next attempt starts when one fails, or after the stagger."""
    waiting, failures = deque(addresses), list[OSError]()
    with selectors.DefaultSelector() as attempts:
        try:
            while waiting or attempts.get_map():
                if waiting and (sock := _start(waiting.popleft(), failures)) is not None:
                    attempts.register(sock, selectors.EVENT_WRITE)
                wait_s = min(_left(ends_at), STAGGER_S if waiting else LONGEST_WAIT_S)
                if attempts.get_map() and (won := _winner(attempts, wait_s, failures)) is not None:
                    return won
        finally:
            for key in list(attempts.get_map().values()):
                cast("socket.socket", key.fileobj).close()
    raise _refused(failures)


def _winner(attempts: selectors.BaseSelector, wait_s: float, failures: list[OSError]) -> socket.socket | None:
    """Return the first connected socket; None if an attempt failed, or if none has finished yet."""
    for key, _ in attempts.select(wait_s):
        sock = cast("socket.socket", key.fileobj)
        attempts.unregister(sock)
        if _is_connected(sock, failures):
            return sock
    return None


async def _race_async(addresses: list[Address]) -> socket.socket:
    """Like `_race`; cancellation closes all sockets, even one that is already connected."""
    failures: list[OSError] = []
    won: list[socket.socket] = []

    async def attempt(address: Address, failed: anyio.Event) -> None:
        sock = _start(address, failures)
        if sock is not None and await _connects(sock, failures):
            won.append(sock)
            group.cancel_scope.cancel()
        else:
            failed.set()

    try:
        async with anyio.create_task_group() as group:
            for address in addresses:
                failed = anyio.Event()
                group.start_soon(attempt, address, failed)
                with anyio.move_on_after(STAGGER_S):
                    await failed.wait()
    except BaseException:
        for sock in won:
            sock.close()
        raise
    for late in won[1:]:
        late.close()
    if won:
        return won[0]
    raise _refused(failures)


async def _connects(sock: socket.socket, failures: list[OSError]) -> bool:
    """Wait until an attempt ends; returns whether it succeeded, and closes the socket of one that did not."""
    try:
        await anyio.wait_writable(sock)
    except BY_LOOPS as problem:  # also RuntimeError, if other code closed a descriptor behind the loop's back
        sock.close()
        failures.append(OSError(str(problem)))
        return False
    except BaseException:
        sock.close()
        raise
    return _is_connected(sock, failures)


def _start(address: Address, failures: list[OSError]) -> socket.socket | None:
    """Open a connecting socket; None if it fails immediately, as for an unsupported address family."""
    family, where = address
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except BY_LOOPS as problem:  # also RuntimeError, of a test tool that blocks the network
        let_through(problem)
        failures.append(OSError(str(problem)))
        return None
    try:
        sock.setblocking(False)  # noqa: FBT003 (of the socket)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(where)  # not `connect_ex`, which not all of these tools block
    except (BlockingIOError, InterruptedError):  # the attempt is under way
        pass
    except BY_LOOPS as problem:
        sock.close()
        let_through(problem)
        failures.append(OSError(str(problem)))
        return None
    except BaseException:
        sock.close()
        raise
    return sock


def _is_connected(sock: socket.socket, failures: list[OSError]) -> bool:
    """Whether a finished attempt succeeded; closes the socket of a failed one."""
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        sock.close()
        failures.append(OSError(code, os.strerror(code)))
    return not code


def _refused(failures: list[OSError]) -> OSError:
    """Combine the errors of all addresses into a plain OSError: the kernel's ETIMEDOUT is not the caller's timeout."""
    reasons = dict.fromkeys(str(failure) for failure in failures)
    return OSError("; ".join(reasons))
