"""Token cache in Redis or a Redis cluster, shared by all processes and machines of a fleet."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from redcore._base.signal_handlers import let_through
from redcore.exceptions import ConfigurationError, TokenCacheError
from redcore.tokens.encryption import Encrypted, Plain, Unreadable
from redcore.tokens.redis_client import RedisClient, RedisUrl, answers_later
from redcore.tokens.redis_entry import RedisEntries, Talk
from redcore.tokens.token_set import TokenSet

T = TypeVar("T")
Keys = str | bytes | Sequence[str | bytes] | None


class _Redis:
    """What the sync and the async cache share: the entries, and the locks that are held."""

    def __init__(self, where: str, encryption_key: Keys, prefix: str, *, strict: bool) -> None:
        self.strict = strict
        self._where = where
        keys = [encryption_key] if isinstance(encryption_key, str | bytes) else encryption_key
        cipher = Plain() if keys is None else Encrypted(keys)
        now = lambda: time.time()  # noqa: E731, PLW0108 (looked up late: freezegun replaces it)
        self._entries = RedisEntries(prefix=prefix, cipher=cipher, now=now)
        self._holding: dict[str, str] = {}
        """The holder ids of the locks held here, by key."""

    def _write(self, key: str, tokens: TokenSet) -> Talk[bool]:
        return self._entries.write(key, tokens, self._holding.get(key, ""))

    def _lock(self, key: str, lease_s: float) -> Talk[bool]:
        holder = secrets.token_hex(16)
        taken = yield from self._entries.acquire(key, holder, lease_s)
        if taken:
            self._holding[key] = holder
        return taken

    def _unlock(self, key: str) -> Talk[None]:
        holder = self._holding.pop(key, None)
        if holder is not None:
            yield from self._entries.release(key, holder)

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Replace errors of redis-py, which may quote what was sent, by clear ones."""
        try:
            yield
        except Unreadable as problem:
            raise TokenCacheError(
                f"an entry of Redis at {self._where} {problem}; give all processes the same keys, or another prefix="
            ) from None
        except Exception as problem:  # noqa: BLE001 (redis-py's errors have several roots)
            let_through(problem)
            raise TokenCacheError(
                f"Redis at {self._where} cannot be used ({type(problem).__name__}); see that it runs and lets you in"
            ) from None

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(f"a pickle holds no secret: make the {type(self).__name__} where it is needed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._where!r})"


class RedisCache(_Redis):
    """Keeps tokens in Redis, shared by all processes that use the same server.

    Works with `Client`, and with `AsyncClient` in any event loop, which calls it in a thread. Connections are opened on
    demand, and reopened in a forked child. A process that dies during a refresh delays the others by at most two
    attempt timeouts plus five seconds. Entries expire 30 days after they were last refreshed.

    Args:
        url_or_client: `redis://`, `rediss://` or `unix://`, or `redis+cluster://` or `rediss+cluster://` with one or
            several nodes (`redis+cluster://:password@a:7000,b:7000`), with a timeout of two seconds; or a `redis.Redis`
            or `redis.RedisCluster` with its own timeouts, which the SDK never closes.
        encryption_key: A Fernet key to encrypt tokens with, or several: the first encrypts, all decrypt. None leaves
            tokens readable for everyone who can read Redis.
        prefix: Prefix of all key names.
        strict: Whether to raise `TokenCacheError` if Redis cannot be used; otherwise tokens are kept in memory
            instead, with one warning.

    Raises:
        ConfigurationError: the URL, client or key cannot be used, or redis-py is not installed.
    """

    def __init__(
        self,
        url_or_client: str | RedisClient,
        *,
        encryption_key: str | bytes | Sequence[str | bytes] | None = None,
        prefix: str = "redcore:",
        strict: bool = False,
    ) -> None:
        self._client: Callable[[], RedisClient]
        if isinstance(url_or_client, str):
            url = RedisUrl(url_or_client)
            self._client, where = url.client, url.address
        elif answers_later(url_or_client):
            raise ConfigurationError(
                "RedisCache needs a blocking client or a URL; for AsyncClient, give this one to AsyncRedisCache"
            )
        else:
            self._client, where = lambda: url_or_client, f"the given {type(url_or_client).__name__}"
        super().__init__(where, encryption_key, prefix, strict=strict)

    def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: Redis cannot be used, or the entry was written with another key.
        """
        return self._say(self._entries.read(key))

    def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, unless another holder has since acquired the lock; raises as `get` does."""
        self._say(self._write(key, tokens))

    def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any; raises as `get` does."""
        self._say(self._entries.remove(key))

    def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key without waiting; see `SharedTokenCache`; raises as `get` does."""
        return self._say(self._lock(key, lease_s))

    def unlock(self, key: str) -> None:
        """Release the lock of a key, unless another holder has acquired it since; raises as `get` does."""
        self._say(self._unlock(key))

    def _say(self, talk: Talk[T]) -> T:
        answer: Any = None
        with self._explained():
            client = self._client()
            while True:
                try:
                    command = talk.send(answer)
                except StopIteration as said:
                    result: T = said.value
                    return result
                answer = client.execute_command(*command)


class AsyncRedisCache(_Redis):
    """Like `RedisCache`, for `AsyncClient` on asyncio: uses a client of `redis.asyncio`, in that client's event loop.

    Args:
        client: A `redis.asyncio.Redis` or `redis.asyncio.RedisCluster` with its own timeouts; the SDK never closes it.
        encryption_key: As for `RedisCache`, like the arguments below.
        prefix: Prefix of all key names.
        strict: Whether to raise `TokenCacheError` if Redis cannot be used.

    Raises:
        ConfigurationError: the client or key cannot be used.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        encryption_key: str | bytes | Sequence[str | bytes] | None = None,
        prefix: str = "redcore:",
        strict: bool = False,
    ) -> None:
        if not answers_later(client):
            raise ConfigurationError("AsyncRedisCache needs a client of redis.asyncio; give this one to RedisCache")
        self._client = client
        super().__init__(f"the given {type(client).__name__}", encryption_key, prefix, strict=strict)

    async def get(self, key: str) -> TokenSet | None:
        """Return the tokens stored under a key, or None.

        Raises:
            TokenCacheError: Redis cannot be used, or the entry was written with another key.
        """
        return await self._say(self._entries.read(key))

    async def set(self, key: str, tokens: TokenSet) -> None:
        """Store tokens under a key, unless another holder has since acquired the lock; raises as `get` does."""
        await self._say(self._write(key, tokens))

    async def delete(self, key: str) -> None:
        """Delete the tokens under a key, if there are any; raises as `get` does."""
        await self._say(self._entries.remove(key))

    async def try_lock(self, key: str, lease_s: float) -> bool:
        """Acquire the lock of a key without waiting; see `SharedTokenCache`; raises as `get` does."""
        return await self._say(self._lock(key, lease_s))

    async def unlock(self, key: str) -> None:
        """Release the lock of a key, unless another holder has acquired it since; raises as `get` does."""
        await self._say(self._unlock(key))

    async def _say(self, talk: Talk[T]) -> T:
        answer: Any = None
        with self._explained():
            while True:
                try:
                    command = talk.send(answer)
                except StopIteration as said:
                    result: T = said.value
                    return result
                answer = await self._client.execute_command(*command)
