"""The types of the public interface: checked by mypy and pyright, never run.

`assert_type` states what must be inferred; a line with `# type: ignore[code]` states that mypy refuses it (an unused
ignore is an error), and `# pyright: ignore[rule]` beside it the same of pyright.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any, assert_type

import httpx
import httpx2
import redis
import redis.asyncio

from redcore import (
    AsyncClient,
    AsyncHooks,
    AsyncItemIterator,
    AsyncPageIterator,
    AsyncPages,
    Attempt,
    AttemptResult,
    Client,
    CursorMeta,
    CursorPage,
    ErrorDetail,
    FailedAttempt,
    File,
    Headers,
    Hooks,
    ItemIterator,
    ListMeta,
    Page,
    PageIterator,
    Pages,
    Product,
    Progress,
    RateLimit,
    RawResponse,
    RedcoreAPIError,
    User,
    UserRole,
    UserStatus,
    ValidationError,
    WorkflowRun,
)
from redcore.tokens import AsyncRedisCache, FileCache, KeyringCache, MemoryCache, RedisCache


def note(progress: Progress) -> None:
    assert_type(progress.total, int | None)
    assert_type(progress.fraction, float | None)


def given_clients() -> None:
    """Clients of httpx and of httpx2 can be passed, each to the client of its colour."""
    Client(http_client=httpx.Client())
    Client(http_client=httpx2.Client())
    AsyncClient(http_client=httpx.AsyncClient())
    AsyncClient(http_client=httpx2.AsyncClient(), transport=None)
    AsyncClient(transport="aiohttp")
    AsyncClient(transport="direct")
    Client(transport="httpcore")
    Client(http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncClient(http_client=httpx2.Client())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncClient(transport="requests")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client(transport="aiohttp")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def blocking(client: Client) -> None:
    """`Client` returns values."""
    user = client.users.get("usr_1")
    assert_type(user, User)
    assert_type(user.email, str)
    assert_type(user.role, UserRole)
    assert_type(user.status, UserStatus)
    assert_type(user.invitation_sent_at, dt.datetime | None)
    assert_type(user["email"], Any)

    page = client.users.list(limit=10, role="admin", status=UserStatus.ACTIVE, q="ada")
    assert_type(page, Page[User])
    assert_type(page.data, tuple[User, ...])
    assert_type(page["data"], tuple[User, ...])
    assert_type(page["meta"], ListMeta)
    assert_type(page["meta"]["total"], Any)
    assert_type([found for found in page], list[User])  # noqa: C416 (iteration is what is checked)

    pages = client.users.list_all(page_size=50, role="viewer")
    assert_type(pages, Pages[User])
    for each in pages:
        assert_type(each, Page[User])
    for found in pages.iter_items():
        assert_type(found, User)
    ahead = client.users.list_all(concurrency=8, offset=200)
    assert_type(iter(ahead), PageIterator[User])
    assert_type(ahead.iter_items(), ItemIterator[User])
    assert_type(ahead.iter_items().offset, int)
    assert_type(ahead.iter_items().total, int | None)
    assert_type(ahead.iter_items().changed, bool)

    assert_type(client.users.update("usr_1", role="editor", status="inactive"), User)
    assert_type(client.users.update("usr_1", role=user.role, status=user.status), User)
    assert_type(client.users.update("usr_1", status=UserStatus.INACTIVE), User)
    assert_type(client.auth.log_out(), None)
    assert_type(page[0], User)
    assert_type(page[:2], tuple[User, ...])
    assert_type(user.to_dict(), dict[str, Any])
    assert_type(User.from_dict({}), User)
    assert_type(Page[User].from_dict({}), Page[User])
    assert_type(client.users.update_me(name="Ada"), User)
    assert_type(client.users.delete("usr_1"), None)
    assert_type(client.products.list(), Page[Product])
    assert_type(client.workflows.run("catalog_export", input={"format": "csv"}), WorkflowRun)
    assert_type(client.files.upload(file=b"a,b"), File)
    assert_type(client.files.upload(file=Path("a.csv"), on_progress=note), File)
    assert_type(client.files.download("file_1"), bytes)
    assert_type(client.files.download("file_1", to="a.csv", timeout=5), None)
    with gzip.open("a.csv.gz", "wb") as packed:
        assert_type(client.files.download("file_1", to=packed), None)
    client.files.download("file_1", to=io.StringIO())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    with client.files.stream("file_1") as content:
        assert_type(content.size, int | None)
        assert_type(next(content), bytes)
    assert_type(client.with_options(timeout=5, deadline=None), Client)


async def awaitable(client: AsyncClient) -> None:
    """`AsyncClient` returns the same, awaited."""
    assert_type(await client.users.get("usr_1"), User)
    assert_type(await client.users.list(role=UserRole("auditor")), Page[User])
    assert_type(await client.users.update("usr_1", role="editor"), User)
    assert_type(await client.users.delete("usr_1"), None)

    pages = client.users.list_all(q="ada")
    assert_type(pages, AsyncPages[User])
    async for each in pages:
        assert_type(each, Page[User])
    async for found in pages.iter_items():
        assert_type(found, User)
    assert_type(aiter(pages), AsyncPageIterator[User])
    assert_type(client.users.list_all(concurrency=8, offset=200).iter_items(), AsyncItemIterator[User])

    assert_type(client.with_options(max_retries=0), AsyncClient)
    assert_type(client.rate_limit, RateLimit | None)


def contexts() -> None:
    """A `with` block yields the client itself."""
    with Client(api_key="rk_test_1") as client:
        assert_type(client, Client)


def failures(error: RedcoreAPIError) -> None:
    """Errors carry typed facts."""
    assert_type(error.status_code, int)
    assert_type(error.code, str)
    assert_type(error.retry_after, float | None)
    assert_type(error.details, tuple[ErrorDetail, ...])
    assert_type(error.request_id, str | None)
    assert_type(error.attempts, tuple[FailedAttempt, ...])
    assert_type(error.attempts[0].wait_s, float | None)
    if isinstance(error, ValidationError):
        assert_type(error.details[0].issue, str)


def traced(attempt: Attempt) -> dict[str, str]:
    """A hook that adds a header."""
    assert_type(attempt.number, int)
    assert_type(attempt.headers, Headers)
    return {"X-Trace": attempt.request_id}


async def counted(result: AttemptResult) -> None:
    """A hook that awaits."""
    assert_type(result.status_code, int | None)
    assert_type(result.duration_s, float)


def hooked(client: Client, awaitable: AsyncClient) -> None:
    """A blocking client takes functions, an async one coroutine functions too."""
    assert_type(client.with_options(hooks=Hooks(before_attempt=traced)), Client)
    assert_type(awaitable.with_options(hooks=Hooks(before_attempt=traced)), AsyncClient)
    assert_type(awaitable.with_options(hooks=AsyncHooks(before_attempt=traced, after_attempt=counted)), AsyncClient)
    client.with_options(hooks=AsyncHooks(after_attempt=counted))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Hooks(after_attempt=counted)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def with_own_options(client: Client) -> None:
    """Every method takes the options of a call, each of its type."""
    assert_type(client.users.get("usr_1", timeout=5, deadline=None, max_retries=0, headers={"X-Trace": "1"}), User)
    assert_type(client.users.create(email="a@b.example", name="A", idempotency_key="order-7"), User)
    assert_type(client.users.list_all(page_size=50, timeout=5, pacing=False), Pages[User])
    client.auth.log_out(timeout=5)
    client.auth.revoke()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.users.get("usr_1", timeout=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.users.get("usr_1", time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.users.list_all(max_retries="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.with_options(retries=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def raw(client: Client) -> None:
    """Raw siblings return the same types, wrapped."""
    given = client.raw.users.get("usr_1", timeout=5)
    assert_type(given, RawResponse[User])
    assert_type(given.value, User)
    assert_type(given.headers, Headers)
    assert_type(given.request_id, str | None)
    assert_type(client.raw.users.list(role="admin"), RawResponse[Page[User]])
    assert_type(client.raw.users.list(cursor="c"), RawResponse[CursorPage[User]])
    assert_type(client.raw.users.delete("usr_1"), RawResponse[None])
    assert_type(client.request("GET", "/things", query={"limit": 3}), RawResponse[Any])
    client.raw.users.get(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def raw_awaited(client: AsyncClient) -> None:
    """The same, awaited."""
    assert_type(await client.raw.users.get("usr_1"), RawResponse[User])
    assert_type(await client.request("POST", "/things", json=[1], idempotency_key="k"), RawResponse[Any])


def cached(given: redis.Redis, later: redis.asyncio.Redis) -> None:
    """Blocking caches work with both clients, async ones with `AsyncClient` alone."""
    for cache in (RedisCache("redis://localhost"), RedisCache(given), KeyringCache(), FileCache(), MemoryCache()):
        Client(token_cache=cache)
        AsyncClient(token_cache=cache)
    AsyncClient(token_cache=AsyncRedisCache(later, encryption_key=["key", b"older"]))
    Client(token_cache=AsyncRedisCache(later))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RedisCache()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def cursors(client: Client) -> None:
    """A page that is not counted has an optional total."""
    behind = client.users.list(cursor="c", role="admin")
    assert_type(behind, CursorPage[User])
    assert_type(behind.meta, CursorMeta)
    assert_type(behind.meta.total, int | None)
    assert_type(client.users.list(include_total=False), CursorPage[User])
    page = client.users.list(include_total=True)
    assert_type(page.meta.total, int)
    assert_type(page.meta.next_cursor, str | None)
    assert_type(client.users.list_all(cursor="c"), Pages[User])


def refused(client: Client) -> None:
    """Code that a checker must refuse."""
    client.users.list(role="owner")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.users.update("usr_1", status="pending_invite")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.users.get(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.users.create(email="a@b.example")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.users.list_all(concurrency="8")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.users.list(10)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.users.get("usr_1").email = "b@b.example"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    del client.users.get("usr_1").nickname  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    for _ in client.users.list_all().iter_items():
        client.users.list()["total"]  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    Client("rk_test_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client(on_token_refreshed=awaitable)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
