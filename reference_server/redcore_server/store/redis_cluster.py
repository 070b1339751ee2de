"""Redis Cluster: routes each command to the node of its key; an unavailable node affects only its own slots.

    topology known ── MOVED, no connection, no answer ──> read again in the background, at most twice a second
          ^                                                             │
          └── the first node that answers, and no other one is silent ──┘

redis-py's own cluster client is not used for this: there an error of one node fails the commands of all nodes, and the
whole topology and every connection is discarded (docs/adr/0049-redis-cluster.md). Connections, pools, parsing and key
hashing come from redis-py.
"""

# redis-py leaves the keyword arguments of its clients untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import redis.asyncio
import structlog
from redis.asyncio.client import Pipeline
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, RedisError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from redcore_server.store.redis_node import Command, Node, NotSent, Words

Address = tuple[str, int]

SLOTS: Final = 16384  # Redis Cluster specification, key distribution
_REREAD_S: Final = 0.5  # minimum interval; a failover takes seconds, and an answer costs a node a millisecond
_HOPS: Final = 16  # redirects per command while slots move; redis-py's own limit
_TRY_AGAIN_S: Final = 0.1  # while the keys of one command are on both nodes; moving a key takes milliseconds
_NO_KEY: Final = frozenset({"PING", "SCRIPT", "CLUSTER", "INFO", "TIME", "CLIENT", "CONFIG"})
_KEY_THIRD: Final = frozenset({"EVAL", "EVALSHA"})  # after the script and the number of keys

_log = structlog.stdlib.get_logger("redcore_server.store")


class Send(Protocol):
    """Sends one or more commands to a node; with `asking` for a slot that is migrating there."""

    def __call__(self, node: Node, *, asking: bool) -> Awaitable[Any]:
        """Send at once and return a future of the answer."""
        ...


class Cluster:
    """The nodes of a cluster, and which node serves which slot."""

    def __init__(self, starts: Sequence[Address], open_node: Callable[[Address], Node]) -> None:
        """Start with only the seed addresses, until `read`.

        Args:
            starts: Host and port of nodes; one that answers is enough.
            open_node: Creates the node of an address; it connects on first use.
        """
        self._open_node = open_node
        self._starts = starts
        self._nodes = {address: open_node(address) for address in starts}
        self._owners: list[Node | None] = [None] * SLOTS
        self._reading: asyncio.Task[None] | None = None
        self._read_at = -_REREAD_S

    @property
    def masters(self) -> list[Node]:
        """The nodes that serve slots."""
        return list(dict.fromkeys(node for node in self._owners if node is not None))

    async def read(self) -> None:
        """Read the topology from the first node that answers.

        Raises:
            RedisError: No node answers; the error of the last one is raised.
        """
        self._read_at = time.monotonic()
        problem: RedisError = RedisConnectionError("no node is known")
        for address, node in self._candidates():
            try:
                ranges = await node.slots()
            except RedisError as error:
                problem = error
            else:
                await self._take(ranges, asked=address)
                return
        raise problem

    def ask(self, key: str | None, command: Command) -> Awaitable[Any]:
        """Return a future of the answer; the command is sent at once.

        Args:
            key: Key of the command; None lets any master answer.
            command: Command; resent only if it was not executed: no connection, or another node's slot.
        """

        def send(node: Node, *, asking: bool) -> Awaitable[Any]:
            return node.ask(command, asking=asking)

        return self._routed(key, send)

    def transaction(self, key: str, commands: Sequence[Words]) -> Awaitable[Any]:
        """Return a future of the answers of commands that run as one atomic step.

        Args:
            key: One of their keys; all are in the same slot.
            commands: At least one command.
        """

        def send(node: Node, *, asking: bool) -> Awaitable[Any]:
            return node.transaction(commands, asking=asking)

        return self._routed(key, send)

    async def confirm(self, fences: Iterable[str]) -> None:
        """Wait until replicas have the writes to the nodes of these keys so far.

        Args:
            fences: One key for each slot to wait for.

        Raises:
            NotReplicated: The replica of a node did not confirm in time.
        """
        by_node = {id(self._owner(fence)): fence for fence in fences}
        await asyncio.gather(*(self._routed(fence, _confirming(fence)) for fence in by_node.values()))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._reading is not None:
            self._reading.cancel()
        for node in self._nodes.values():
            await node.aclose()

    def _routed(self, key: str | None, send: Send) -> Awaitable[Any]:
        node = self._owner(key)
        first = None if node is None else asyncio.ensure_future(send(node, asking=False))
        return asyncio.ensure_future(self._followed(key, send, node, first))

    async def _followed(self, key: str | None, send: Send, node: Node | None, answer: Awaitable[Any] | None) -> Any:
        """Return the answer, following redirects to the node of the key."""
        problem: RedisError = ClusterDownError("no node serves this slot")
        for _ in range(_HOPS):
            try:
                return await (answer or _not_sent())
            except MovedError as error:
                problem, node = error, self._moved(error, node)
                answer = send(node, asking=False)
            except AskError as error:
                problem, answer = error, send(self._node(_target(error, node)), asking=True)
            except TryAgainError as error:
                problem = error
                await asyncio.sleep(_TRY_AGAIN_S)
                answer = None if node is None else send(node, asking=False)
            except NotSent as error:
                problem, before = error, node
                node = await self._other(key, before)
                if node is before or node is None:
                    break
                answer = send(node, asking=False)
            except (RedisConnectionError, RedisTimeoutError, ClusterDownError):
                self._read_soon()
                raise
        raise problem

    def _owner(self, key: str | None) -> Node | None:
        if key is None:
            return next((node for node in self.masters if not node.is_silent), None)
        return self._owners[key_slot(key.encode())]

    async def _other(self, key: str | None, before: Node | None) -> Node | None:
        """Return the node that replaces an unavailable one for a key; without a key, any other master may answer."""
        if key is None:
            self._read_soon()
            return next((node for node in self.masters if not node.is_silent and node is not before), None)
        await asyncio.wait([self._read_soon()])
        return self._owner(key)

    def _moved(self, error: MovedError, asked: Node | None) -> Node:
        node = self._owners[error.slot_id] = self._node(_target(error, asked))
        self._read_soon()  # if one slot moved, others have moved too
        return node

    def _node(self, address: Address) -> Node:
        if address not in self._nodes:
            self._nodes[address] = self._open_node(address)
        return self._nodes[address]

    def _read_soon(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_again())
        return self._reading

    async def _read_again(self) -> None:
        try:
            await asyncio.sleep(self._read_at + _REREAD_S - time.monotonic())
            await self.read()
        except RedisError as error:
            _log.warning("the Redis cluster cannot be read", problem=str(error))
        finally:
            self._reading = None
        self._watch_silent()

    def _watch_silent(self) -> None:
        """Read again until no node is silent: a failover is then known before the next command needs it."""
        silent = [node for node in self._nodes.values() if node.is_silent]
        for node in silent:
            node.probe()
        if silent:
            self._read_soon()

    def _candidates(self) -> list[tuple[Address, Node]]:
        """Return the nodes to ask in order; those that recently failed to answer come last."""
        candidates = list(self._nodes.items())
        random.shuffle(candidates)
        return sorted(candidates, key=lambda candidate: candidate[1].is_silent)

    async def _take(self, ranges: Sequence[Any], *, asked: Address) -> None:
        owners: list[Node | None] = [None] * SLOTS
        living = set(self._starts)
        for start, stop, master, *replicas in ranges:
            address = _address(master, asked)
            living.add(address)
            node = self._node(address)
            node.has_replica = bool(replicas)
            owners[start : stop + 1] = [node] * (stop + 1 - start)
        self._owners = owners
        for address in self._nodes.keys() - living:
            await self._nodes.pop(address).aclose()


class ClusterRedis(redis.asyncio.Redis):
    """redis-py's client, with each command routed to the node of its key."""

    def __init__(self, topology: Cluster, **options: Any) -> None:
        """Send through a cluster.

        Args:
            topology: Read before the first command.
            options: Options of the nodes' clients, so that answers are parsed in the same way.
        """
        super().__init__(**options)
        self.topology = topology

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command; see `redis.asyncio.Redis.execute_command`."""
        words = _words(args)
        answer = await self.topology.ask(_key(words), Command(words))
        return await self.formed(args[0], answer, options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """Return a pipeline; as a transaction its keys are in one slot, otherwise each goes to its own node."""
        return _ClusterPipeline(self, transaction, shard_hint)

    async def scan_iter(  # type: ignore[override]
        self, match: Any = None, count: int | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Yield the keys of all masters."""
        for node in self.topology.masters:
            async for key in node.client.scan_iter(match=match, count=count, **kwargs):
                yield key

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's signature
        """Close the connections to all nodes."""
        await self.topology.aclose()
        await super().aclose(close_connection_pool)

    async def formed(self, name: Any, answer: Any, options: Mapping[str, Any]) -> Any:
        """Return an answer parsed as redis-py does.

        Args:
            name: Name of the command.
            answer: Answer of the node.
            options: Options from redis-py for this command.
        """
        callback = self.response_callbacks.get(name)
        if callback is None:
            return answer
        formed = callback(
            answer, **{option: value for option, value in options.items() if option != "keys"}
        )  # of its cache
        return await formed if inspect.isawaitable(formed) else formed


class _ClusterPipeline(Pipeline):
    """Commands that are sent together; each is answered by its own node."""

    def __init__(self, client: ClusterRedis, transaction: bool, shard_hint: str | None) -> None:  # noqa: FBT001 - redis-py's order
        super().__init__(client.connection_pool, client.response_callbacks, transaction, shard_hint)
        self._client = client

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Return the answers; with `raise_on_error` the first error is raised instead."""
        stack = [(args, options) for args, options in self.command_stack]
        await self.reset()  # type: ignore[no-untyped-call]
        commands = [_words(args) for args, _ in stack]
        answers = await (self._one_step(commands) if self.is_transaction else self._each(commands))
        for answer in answers:
            if raise_on_error and isinstance(answer, Exception):
                raise answer
        return [
            answer if isinstance(answer, Exception) else await self._client.formed(args[0], answer, options)
            for answer, (args, options) in zip(answers, stack, strict=True)
        ]

    async def _one_step(self, commands: Sequence[Words]) -> list[Any]:
        return list(await self._client.topology.transaction(_key(commands[0]) or "", commands))

    async def _each(self, commands: Sequence[Words]) -> list[Any]:
        sent = [self._client.topology.ask(_key(words), Command(words)) for words in commands]
        return await asyncio.gather(*sent, return_exceptions=True)


async def _not_sent() -> None:
    raise NotSent("no node serves this slot")


def _confirming(fence: str) -> Send:
    def send(node: Node, *, asking: bool) -> Awaitable[Any]:
        del asking  # the fence key of a migrating slot is on either node
        return node.confirm(fence)

    return send


def _words(args: Sequence[Any]) -> Words:
    return (*str(args[0]).split(), *args[1:])  # redis-py writes "SCRIPT FLUSH" as one word


def _key(words: Words) -> str | None:
    if words[0] in _NO_KEY or len(words) == 1:
        return None
    return str(words[3] if words[0] in _KEY_THIRD else words[1])


def _target(error: AskError, asked: Node | None) -> Address:
    """Return the target of a redirect; without a host, another port of the same node."""
    host: str = error.host or ("" if asked is None else asked.client.connection_pool.connection_kwargs["host"])
    return (host, error.port)


def _address(described: Sequence[Any], asked: Address) -> Address:
    return (described[0] or asked[0], int(described[1]))
