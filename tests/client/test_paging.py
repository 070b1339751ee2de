"""Pagination over a real connection, with pages fetched ahead, in all colours."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.lowlevel
import pytest
from tests.answers import META, USER
from tests.client.colours import Colour
from tests.client.loopback import Answer, Loopback, Reply, Seen, refusal, reply

from redcore import NotFoundError, RedcoreAPIError

TOTAL = 23
ALL = [f"usr_{number}" for number in range(TOTAL)]


def offset_of(seen: Seen) -> int:
    return int(dict(parse_qsl(seen.path.partition("?")[2]))["offset"])


def listing(seen: Seen) -> Reply:
    """Make pages of two users."""
    offset = offset_of(seen)
    data = [dict(USER, id=name) for name in ALL[offset : offset + 2]]
    return reply({"data": data, "meta": dict(META, total=TOTAL, limit=2, offset=offset)})


def but(failing: int, answer: Reply) -> Answer:
    """Make a listing of which one page fails."""
    return lambda seen: answer if offset_of(seen) == failing else listing(seen)


def advance(call: Colour, walk: Any) -> Any:
    """Take the next of a walk."""
    return call(walk.__next__ if call.name == "sync" else walk.__anext__)


def until_error(call: Colour, walk: Any, kind: type[Exception]) -> list[str]:
    """Return the ids that a walk yields before it raises."""
    ids: list[str] = []
    while True:
        try:
            ids.append(advance(call, walk).id)
        except kind:
            return ids


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("redcore-pages")]


def joined(thread: threading.Thread) -> bool:
    """Wait for a thread; False if it was interrupted in the middle of its start."""
    try:
        thread.join(60.0)
    except RuntimeError:
        return False
    return True


def have_ended(working: list[threading.Thread]) -> bool:
    for thread in working:
        while not joined(thread):
            continue
    return not any(thread.is_alive() for thread in working)


@pytest.mark.parametrize("concurrency", [2, 8])
def test_prefetched_pages_come_in_order(call: Colour, make: Any, server: Loopback, concurrency: int) -> None:
    """Pages that are fetched concurrently come in the order of the listing, each of them fetched once."""
    server.answer = listing

    items = call.items(make().users.list_all(page_size=2, concurrency=concurrency))

    assert [item.id for item in items] == ALL
    assert sorted(offset_of(seen) for seen in server.seen) == list(range(0, TOTAL, 2))


def test_the_concurrency_of_a_walk(call: Colour, make: Any, server: Loopback) -> None:
    """As many requests are under way as asked for, and no more."""
    together = threading.Barrier(3)
    lock, under_way, most = threading.Lock(), 0, 0

    def answer(seen: Seen) -> Reply:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        if 0 < offset_of(seen) <= 6:
            together.wait(60.0)
        with lock:
            under_way -= 1
        return listing(seen)

    server.answer = answer

    assert len(call.items(make().users.list_all(page_size=2, concurrency=3))) == TOTAL
    assert most == 3


def test_errors_come_in_order(call: Colour, make: Any, server: Loopback) -> None:
    """Pages before a failed one are yielded first; iterating further tries that page again."""
    server.answer = but(8, refusal(404))
    walk = make().users.list_all(page_size=2, concurrency=8).iter_items()

    begun = until_error(call, walk, NotFoundError)
    assert begun == ALL[:8]
    assert walk.offset == 8

    server.answer = listing
    assert [advance(call, walk).id for _ in range(TOTAL - 8)] == ALL[8:]


def test_another_client_resumes_a_walk(call: Colour, make: Any, server: Loopback) -> None:
    """A job that failed continues from its last offset."""
    server.answer = but(8, refusal(404))
    walk = make().users.list_all(page_size=2, concurrency=4).iter_items()
    begun = until_error(call, walk, NotFoundError)

    server.answer = listing
    rest = call.items(make().users.list_all(page_size=2, concurrency=4, offset=walk.offset))

    assert begun + [item.id for item in rest] == ALL


def test_each_page_is_retried(call: Colour, make: Any, server: Loopback, slept: list[float]) -> None:
    """Attempts and waits are those of a page, not of the walk."""
    failed: set[int] = set()

    def answer(seen: Seen) -> Reply:
        offset = offset_of(seen)
        if offset in failed:
            return listing(seen)
        failed.add(offset)
        return refusal(503)

    server.answer = answer
    client = make(max_retries=1)

    assert [item.id for item in call.items(client.users.list_all(page_size=2, concurrency=4))] == ALL
    assert slept == [1.0] * 12


def test_a_page_that_fails_for_good_stops_the_fetching(call: Colour, make: Any, server: Loopback) -> None:
    """While the server is down, no page is requested after the first failures."""
    server.answer = lambda seen: listing(seen) if offset_of(seen) == 0 else refusal(500)

    until_error(call, make(max_retries=0).users.list_all(page_size=2, concurrency=2).iter_items(), RedcoreAPIError)

    assert len(server.seen) <= 3


class TestThreads:
    @pytest.fixture(params=[lambda walk: walk.close(), lambda _: None, list], ids=["close", "forget", "exhaust"])
    def ending(self, request: pytest.FixtureRequest) -> Callable[[Any], object]:
        ending: Callable[[Any], object] = request.param
        return ending

    def test_the_threads_of_a_walk_end(self, server: Loopback, ending: Callable[[Any], object]) -> None:
        """The threads of a walk end when it is closed, when its last reference is gone, and at its end."""
        from redcore import Client  # noqa: PLC0415 (this colour only)

        fetched = threading.Event()

        def answer(seen: Seen) -> Reply:
            assert offset_of(seen) <= 2 or fetched.wait(60.0)
            return listing(seen)

        server.answer = answer
        with Client(api_key="k", base_url=server.base_url) as client:
            walk = client.users.list_all(page_size=2, concurrency=4).iter_items()
            for _ in range(3):
                next(walk)
            working = threads()
            assert working
            fetched.set()

            ending(walk)
            del walk
            gc.collect()

            assert have_ended(working)

    def test_a_closed_walk_is_exhausted(self, server: Loopback) -> None:
        """A closed walk yields nothing more; closing it twice is fine."""
        from redcore import Client  # noqa: PLC0415 (this colour only)

        server.answer = listing
        with Client(api_key="k", base_url=server.base_url) as client:
            pages = iter(client.users.list_all(page_size=2, concurrency=4))
            items = client.users.list_all(page_size=2).iter_items()
            next(pages), next(items)

            for walk in (pages, items):
                walk.close()
                walk.close()

            assert (list(pages), list(items)) == ([], [])

    @pytest.mark.usefixtures("ctrl_c")
    def test_an_interrupt_of_a_walk(self, server: Loopback) -> None:
        """Ctrl-C ends the wait for a page at once, and the threads soon; the walk can continue."""
        from redcore import Client  # noqa: PLC0415 (this colour only)

        released = threading.Event()

        def answer(seen: Seen) -> Reply:
            if offset_of(seen) == 2 and not released.is_set():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                released.wait(60.0)
            return listing(seen)

        server.answer = answer
        with Client(api_key="k", base_url=server.base_url) as client:
            walk = client.users.list_all(page_size=2, concurrency=4).iter_items()
            begun = [next(walk).id, next(walk).id]
            with pytest.raises(KeyboardInterrupt):
                next(walk)
            working = threads()
            released.set()

            assert begun + [user.id for user in walk] == ALL
            assert have_ended(working)

    @pytest.mark.usefixtures("ctrl_c")
    def test_an_interrupt_ends_threads_that_wait_to_retry(self, server: Loopback) -> None:
        """A long Retry-After delays neither a thread nor the end of the process."""
        from redcore import Client  # noqa: PLC0415 (this colour only)

        limited = threading.Semaphore(0)

        def answer(seen: Seen) -> Reply:
            if offset_of(seen) == 0:
                return listing(seen)
            limited.release()
            if offset_of(seen) == 2:
                limited.acquire()
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return refusal(429, retry_after="599")

        server.answer = answer
        with Client(api_key="k", base_url=server.base_url) as client:
            walk = client.users.list_all(page_size=2, concurrency=4).iter_items()
            next(walk), next(walk)
            with pytest.raises(KeyboardInterrupt):
                next(walk)

            assert have_ended(threads())
            assert all(thread.daemon for thread in threads())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
class TestTasks:
    def test_leaving_early_leaves_no_task_behind(self, server: Loopback, backend: str) -> None:
        """Between two items no task runs and no request is under way, so that a loop may be left at any time."""
        from redcore import AsyncClient  # noqa: PLC0415 (this colour only)

        server.answer = listing

        async def main() -> tuple[int, int, int]:
            before = len(anyio.get_running_tasks())
            async with AsyncClient(api_key="k", base_url=server.base_url) as client:
                async for user in client.users.list_all(page_size=2, concurrency=3).iter_items():
                    if user.id == "usr_3":
                        break
                running, asked = len(anyio.get_running_tasks()), len(server.seen)
                for _ in range(5):
                    await anyio.lowlevel.checkpoint()
                return running - before, asked, len(server.seen)

        assert anyio.run(main, backend=backend) == (0, 12, 12)

    def test_a_cancelled_walk_can_continue(self, server: Loopback, backend: str) -> None:
        """A walk that was cancelled while it fetched loses nothing: it can be iterated further."""
        from redcore import AsyncClient  # noqa: PLC0415 (this colour only)

        held = threading.Event()

        async def main() -> list[str]:
            scope = anyio.CancelScope()

            def answer(seen: Seen) -> Reply:
                if offset_of(seen) == 4 and not held.is_set():
                    anyio.from_thread.run_sync(scope.cancel, token=token)
                    held.wait(60.0)
                return listing(seen)

            token = anyio.lowlevel.current_token()
            server.answer = answer
            ids: list[str] = []
            async with AsyncClient(api_key="k", base_url=server.base_url) as client:
                walk = client.users.list_all(page_size=2, concurrency=3).iter_items()
                with scope:
                    while True:
                        ids.append((await anext(walk)).id)
                held.set()
                assert ids == ALL[:2]
                return ids + [user.id async for user in walk]

        assert anyio.run(main, backend=backend) == ALL


# Iterators that are shared -------------------------------------------------------------------


def by_cursor(seen: Seen) -> Reply:
    """Make pages of two users, each with the cursor of the next."""
    asked = dict(parse_qsl(seen.path.partition("?")[2]))
    offset = int(asked.get("cursor", asked.get("offset", "0")))
    data = [dict(USER, id=name) for name in ALL[offset : offset + 2]]
    counted: dict[str, Any] = (
        {"total": TOTAL, "offset": offset} if "cursor" not in asked or "include_total" in asked else {}
    )
    following = str(offset + 2) if offset + 2 < TOTAL else None
    return reply({"data": data, "meta": dict(META, limit=2, next_cursor=following, **counted)})


def pages(walk: Any) -> list[str]:
    """Return the ids of the pages that one thread gets."""
    return [user.id for page in walk for user in page]


def items(walk: Any) -> list[str]:
    """Return the ids that one thread gets."""
    return [user.id for user in walk]


async def pages_async(walk: Any) -> list[str]:
    return [user.id async for page in walk for user in page]


async def items_async(walk: Any) -> list[str]:
    return [user.id async for user in walk]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("of_items", [False, True], ids=["pages", "items"])
def test_workers_share_an_iterator(
    call: Colour,
    make: Any,
    server: Loopback,
    concurrency: int,
    of_items: bool,  # noqa: FBT001 (a parameter of pytest)
) -> None:
    """Threads, or tasks, take from one iterator: each item reaches one of them, and none is lost."""
    server.answer = by_cursor
    listed = make().users.list_all(page_size=2, concurrency=concurrency)
    got: list[str] = []

    if call.name == "sync":
        walk = listed.iter_items() if of_items else iter(listed)
        with ThreadPoolExecutor(8) as pool:
            for given in pool.map(items if of_items else pages, [walk] * 8):
                got += given
    else:

        async def work(walk: Any) -> None:
            got.extend(await (items_async if of_items else pages_async)(walk))

        async def main() -> None:
            walk = listed.iter_items() if of_items else aiter(listed)
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(work, walk)

        call(main)

    assert sorted(got) == sorted(ALL)
