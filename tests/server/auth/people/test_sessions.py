"""Sessions in Redis: their owner, their end, and what is never stored."""

from __future__ import annotations

from typing import Any, cast

import pytest
from tests.server.support.tenants import Organisation

from redcore_server.auth.people.person import Person, find_person
from redcore_server.auth.people.sessions import Sessions, end_sessions
from redcore_server.auth.revocation import Revocation
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
def sessions(stores: Stores, clock: Clock) -> Sessions:
    return Sessions(stores, clock)


@pytest.fixture
async def ada(stores: Stores, organisation: Organisation) -> Person:
    person = await find_person(stores.postgres, organisation.owner_id)
    assert person is not None
    return person


@pytest.mark.parametrize("cookie", [None, "", "short", "ü" * 43, "a" * 44, "../../" + "a" * 37])
async def test_other_cookies_are_replaced(sessions: Sessions, cookie: str | None) -> None:
    """An id that the server did not make is not used, not even as an anonymous one."""
    session = await sessions.load(cookie)

    assert session.id != cookie
    assert (session.person, session.pending) == (None, None)


async def test_anonymous_session_costs_nothing(sessions: Sessions, stores: Stores) -> None:
    """An id of the right form is kept for its forms, and Redis is only read."""
    before = await stores.redis.dbsize()  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]

    first = await sessions.load(None)
    second = await sessions.load(first.id)

    assert second == first
    assert await stores.redis.dbsize() == before  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]


async def test_redis_does_not_contain_the_session_id(sessions: Sessions, stores: Stores, ada: Person) -> None:
    """Read access to Redis is not enough to sign in, and the repr does not show the id either."""
    session = await sessions.start(await sessions.load(None), ada)
    redis = cast("Any", stores.redis)

    keys = [key async for key in redis.scan_iter(match="session*", count=1000)]
    index = await redis.zrange(f"sessions:user:{ada.id}", 0, -1)

    assert len(index) == 1
    assert session.id not in f"{keys} {index} {session!r}"


async def test_a_session_that_waits_for_totp_has_no_person(sessions: Sessions, clock: Clock, ada: Person) -> None:
    """The password alone signs no one in, and waits ten minutes for the code."""
    session = await sessions.start(await sessions.load(None), ada, is_complete=False)
    waiting = await sessions.load(session.id)
    clock.advance(600)
    late = await sessions.load(session.id)

    assert (waiting.person, waiting.pending) == (None, ada)
    assert (late.person, late.pending) == (None, None)


async def test_session_is_of_its_own_organisation(sessions: Sessions, ada: Person) -> None:
    """A session is not valid in another organisation."""
    session = await sessions.start(await sessions.load(None), ada)

    assert session.of(ada.organisation_id) == ada
    assert session.of("org_other") is None


async def test_all_sessions_of_a_person_end_together(sessions: Sessions, stores: Stores, ada: Person) -> None:
    """In every browser, with one call."""
    browsers = [await sessions.start(await sessions.load(None), ada) for _ in range(3)]

    counts = [await end_sessions(stores, ada.id) for _ in range(2)]

    assert counts == [3, 0]
    assert [(await sessions.load(session.id)).person for session in browsers] == [None] * 3


async def test_a_lock_out_ends_a_concurrent_sign_in(sessions: Sessions, stores: Stores, ada: Person) -> None:
    """A sign-in that is overtaken by a lock-out ends without a session, and none appears later."""
    async with stores.postgres.connection() as connection:
        await connection.execute("update users set status = 'inactive' where id = %s", (ada.id,))
        await Revocation(stores).revoke_user(ada.id)
        session = await sessions.start(await sessions.load(None), ada)
        await connection.execute("update users set status = 'active' where id = %s", (ada.id,))

    assert session.person is None
    assert (await sessions.load(session.id)).person is None


async def test_a_deleted_person_has_no_session(sessions: Sessions, stores: Stores, clock: Clock, ada: Person) -> None:
    """Even before anything was revoked."""
    session = await sessions.start(await sessions.load(None), ada)
    async with stores.postgres.connection() as connection:
        await connection.execute("delete from users where id = %s", (ada.id,))

    assert (await sessions.load(session.id)).person is None
