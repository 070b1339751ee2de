"""One Redis server: concurrent commands share a round trip and its deadline.

A command is sent once. A command that cannot be sent (no connection) raises `NotSent` and may be sent to another node.
A command that was sent but not answered may have been executed, so every waiting caller gets an error.
"""

# hiredis leaves what it packs untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import attrs
import hiredis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from redcore_server.store.batch import Batch

AsyncRedis = redis.asyncio.Redis
Argument = str | int | float
Words = tuple[Argument, ...]

ANSWER_S: Final = 1.0  # a healthy Redis answers in a millisecond; a request that waits twice still ends in time
_SILENCE_S: Final = 0.5  # how long a server that did not answer is not asked again
_REPLICA_MS: Final = 500  # how long a write may take to reach a replica; on one network it takes a millisecond
_FENCE_MS: Final = 1000  # the fence says nothing, it only has to exist when it is written

_pack = cast("Callable[[Words], bytes]", hiredis.pack_command)  # its types allow only commands of one word


class NotSent(RedisConnectionError):  # noqa: N818 - a state: the command was not sent, so it can be sent elsewhere
    """There is no connection to this server; nothing was sent."""


class NotReplicated(RedisError):  # noqa: N818 - a state: the write may be lost with its master
    """No replica has confirmed a write that must survive the loss of its master."""


@attrs.frozen
class Command:
    """One command.

    Attributes:
        words: Command name and arguments.
        source: Source of the script in `EVALSHA`, for a server without it.
    """

    words: Words
    source: str | None = None

    @property
    def with_source(self) -> Words:
        """The same command with the script's source, which also loads the script."""
        return ("EVAL", self.source or "", *self.words[2:])


class Node:
    """One server.

    Attributes:
        client: Redis client of this server only.
        has_replica: Whether the cluster lists a replica of it; a single server is queried instead.
    """

    def __init__(self, client: AsyncRedis, *, answer_s: float = ANSWER_S) -> None:
        """Create it; connects on first use.

        Args:
            client: Redis client of this server only.
            answer_s: Timeout in seconds for the answers of one round trip.
        """
        self.client = client
        self.has_replica = False
        self._answer_s = answer_s
        self._commands = Batch(self._answers)
        self._fences = Batch(self._confirmed)
        self._silent_until = -math.inf
        self._probing: asyncio.Task[None] | None = None

    def ask(self, command: Command, *, asking: bool = False) -> Awaitable[Any]:
        """Return a future of the answer; the command is sent even if it is not awaited.

        Args:
            command: Command, sent once.
            asking: Whether the slot is migrating to this node, which then requires `ASKING` (after an `ASK` redirect).

        Raises:
            NotSent: There is no connection.
            RedisError: Any other error of Redis, or no answer in time.
        """
        if not asking:
            return self._commands.answer(command)
        return self._asking([command.with_source if command.source else command.words])

    async def transaction(self, commands: Sequence[Words], *, asking: bool = False) -> list[Any]:
        """Run commands as one atomic step and return their answers.

        Args:
            commands: Commands with all keys in one slot.
            asking: See `ask`.

        Raises:
            RedisError: See `ask`.
        """
        steps = [("MULTI",), *commands, ("EXEC",)]
        return cast("list[Any]", await (self._asking(steps) if asking else self._last(steps)))

    def confirm(self, fence: str) -> Awaitable[None]:
        """Wait until a replica, if there is one, has all writes of this node so far.

        Args:
            fence: A key of this node, written so that there is a write to wait for.

        Raises:
            NotReplicated: No replica has confirmed in time.
            RedisError: See `ask`.
        """
        return self._fences.answer(fence)

    async def slots(self) -> list[Any]:
        """Return which nodes serve which slots, as known to this node.

        Raises:
            RedisError: See `ask`; also if the server is not part of a cluster.
        """
        return cast("list[Any]", await self._last([("CLUSTER", "SLOTS")]))

    @property
    def is_silent(self) -> bool:
        """Whether it recently failed to answer, or is being probed since."""
        return self._probing is not None or time.monotonic() < self._silent_until

    def probe(self) -> None:
        """Ask a silent server in the background whether it answers again; until then, nothing else is sent to it."""
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe())

    async def aclose(self) -> None:
        """Close its connections."""
        if self._probing is not None:
            self._probing.cancel()
        await self.client.aclose()

    async def _probe(self) -> None:
        try:
            async with self._connection(probing=True) as connection:
                await _exchange(connection, [("PING",)])
            self._silent_until = -math.inf
        except RedisError:  # a timeout has prolonged the silence; a refused connection needs none
            pass
        finally:
            self._probing = None

    async def _answers(self, commands: Sequence[Command]) -> list[Any]:
        async with self._connection() as connection:
            answers = await _exchange(connection, [command.words for command in commands])
            unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            again = await _exchange(connection, [commands[index].with_source for index in unknown])
            for index, answer in zip(unknown, again, strict=True):
                answers[index] = answer
            return answers

    async def _confirmed(self, fences: Sequence[str]) -> list[Exception | None]:
        async with self._connection() as connection:
            writes = [("SET", fence, "1", "PX", _FENCE_MS) for fence in fences]
            *written, role = await _exchange(connection, [*writes, ("ROLE",)])
            if self.has_replica or (isinstance(role, list) and role[0] == "master" and role[2]):
                [replicas] = await _exchange(connection, [("WAIT", 1, _REPLICA_MS)])
                if not isinstance(replicas, int) or replicas < 1:
                    raise NotReplicated("no replica has confirmed the write")
            return [answer if isinstance(answer, Exception) else None for answer in written]

    async def _asking(self, commands: Sequence[Words]) -> Any:
        return await self._last([("ASKING",), *commands])

    async def _last(self, commands: Sequence[Words]) -> Any:
        """Return the last answer, or raise the first error."""
        async with self._connection() as connection:
            answers = await _exchange(connection, commands)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers[-1]

    @asynccontextmanager
    async def _connection(self, *, probing: bool = False) -> AsyncGenerator[AbstractConnection]:
        """Yield a connection for one round trip, with one deadline for all its answers.

        A pipeline of redis-py costs three times as much: it packs in Python, and sets a timeout for each answer.
        """
        if self.is_silent and not probing:
            raise NotSent("it did not answer a moment ago")
        pool = self.client.connection_pool
        try:
            connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call]
        except RedisTimeoutError as error:
            self._silent_until = time.monotonic() + _SILENCE_S
            raise NotSent(str(error)) from error
        except (RedisConnectionError, OSError) as error:
            raise NotSent(str(error)) from error
        try:
            async with asyncio.timeout(self._answer_s):
                yield connection
        except TimeoutError:
            self._silent_until = time.monotonic() + _SILENCE_S
            raise RedisTimeoutError("no answer in time") from None
        finally:
            await pool.release(connection)  # closed before if an answer was left unread


async def _exchange(connection: AbstractConnection, commands: Sequence[Words]) -> list[Any]:
    """Send commands together and return the answers, errors of single commands among them."""
    if not commands:
        return []
    await connection.send_packed_command(b"".join(map(_pack, commands)))
    answers = [await _answer(connection) for _ in commands]
    if any(isinstance(answer, ReadOnlyError) for answer in answers):
        await connection.disconnect()  # this server is no longer the master; its address may now resolve to the new one
    return answers


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(timeout=math.inf)  # pyright: ignore[reportUnknownVariableType]
    except ResponseError as error:
        return error
