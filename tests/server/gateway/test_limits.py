"""Rate limits: the decision, and the counters in a real Redis."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.server.support.callers import Callers, callers_of, whole_app
from tests.server.support.still_clock import StillClock
from tests.server.support.tenants import Client, Organisation, make_client, make_organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.principal import Principal
from redcore_server.clock import Clock
from redcore_server.gateway.limits import (
    API_KEY,
    FREE,
    KEPT_WINDOWS,
    PRO,
    Limits,
    Quota,
    Verdict,
    Window,
    judge,
    windows,
)
from redcore_server.ids import new_id
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.redis import Scripts

pytestmark = pytest.mark.anyio

NOON = 1_800_000_000  # the start of a minute


@pytest.fixture
def still() -> StillClock:
    return StillClock(NOON)


@pytest.fixture
def clock(still: StillClock) -> StillClock:
    """Stands still, so that a burst falls into one second however long it takes."""
    return still


@pytest.fixture(autouse=True)
def kept_windows(monkeypatch: pytest.MonkeyPatch) -> int:
    """Keep counters for long: Redis drops them by its own clock, which does not stand still."""
    monkeypatch.setattr("redcore_server.gateway.limits.KEPT_WINDOWS", 600)
    return 600


def principal(plan: str = "free", kind: str = "token") -> Principal:
    is_key = kind == "api_key"
    return Principal(
        kind="api_key" if is_key else "token",
        credential_id=new_id("key" if is_key else "app"),
        organisation_id="org_1",
        owner_id="usr_1",
        client_id=None,
        scopes=frozenset(),
        plan=plan,
    )


def test_the_plans_are_the_contracts() -> None:
    """Contract section 4."""
    assert (Quota(60, 10), Quota(600, 50), Quota(1000, None)) == (FREE, PRO, API_KEY)


def test_windows_begin_at_multiples_of_their_length() -> None:
    """A minute and a second; only the former without a limit per second."""
    assert windows(FREE, NOON + 61.5) == [Window(60, 60, NOON // 60 + 1), Window(1, 10, NOON + 61)]
    assert windows(API_KEY, NOON) == [Window(60, 1000, NOON // 60)]
    assert [window.end for window in windows(FREE, NOON + 61.5)] == [NOON + 120, NOON + 62]


@pytest.mark.parametrize(
    ("counts", "outcome", "facts"),
    [
        ([1, 1], "passes", (10, 9, NOON + 2, 1)),
        ([55, 1], "passes", (60, 5, NOON + 60, 59)),
        ([55, 5], "passes", (60, 5, NOON + 60, 59)),
        ([60, 1], "passes", (60, 0, NOON + 60, 59)),
        ([11, 10], "refused", (10, 0, NOON + 2, 1)),
        ([60, 10], "refused", (60, 0, NOON + 60, 59)),
        ([75, 12], "refused", (60, 0, NOON + 60, 59)),
    ],
)
def test_the_verdict_is_on_the_tightest_window(
    counts: list[int], outcome: str, facts: tuple[int, int, int, int]
) -> None:
    """The one with the least left; of several full ones the one that ends last."""
    now, is_allowed = NOON + 1.25, outcome == "passes"

    verdict = judge(windows(FREE, now), counts, is_allowed=is_allowed, now=now)

    assert verdict == Verdict(is_allowed, *facts)


async def test_both_windows_are_counted(stores: Stores, still: StillClock) -> None:
    """10 a second, 60 a minute, then nothing until the minute ends."""
    limits, caller = Limits(Scripts(stores.redis), still, Settings()), principal("free")

    async def burst() -> int:
        return sum([(await limits.spend_credential(caller)).is_allowed for _ in range(12)])

    passed = []
    for _ in range(8):
        passed.append(await burst())
        still.advance(1)
    refused = await limits.spend_credential(caller)
    still.advance(NOON + 60 - still.time())

    assert passed == [10, 10, 10, 10, 10, 10, 0, 0]
    assert (refused.reset, refused.retry_after_s) == (NOON + 60, 52)
    assert await burst() == 10


async def test_a_refused_request_is_not_counted(stores: Stores, still: StillClock) -> None:
    """A request refused by the second's window is not counted in the minute's."""
    limits, caller = Limits(Scripts(stores.redis), still, Settings()), principal("free")
    for _ in range(100):
        await limits.spend_credential(caller)
    still.advance(1)

    passed = [(await limits.spend_credential(caller)).is_allowed for _ in range(10)]

    assert passed == [True] * 10


@pytest.mark.parametrize(
    ("who", "limit"),
    [
        (principal("free"), 10),
        (principal("pro"), 50),
        (principal("enterprise"), 7),
        (principal("enterprise", "api_key"), 1000),
    ],
)
async def test_each_caller_has_the_quota_of_its_plan(
    stores: Stores, still: StillClock, who: Principal, limit: int
) -> None:
    """An API key has its own, whatever the plan; the enterprise quota is a setting."""
    limits = Limits(Scripts(stores.redis), still, Settings(enterprise_per_second=7))

    verdict = await limits.spend_credential(who)

    assert (verdict.limit, verdict.remaining) == (limit, limit - 1)


async def test_nodes_share_the_counters(stores: Stores, still: StillClock) -> None:
    """20 callers of two gateways at once, against a limit of 10: exactly 10 pass."""
    nodes = [Limits(Scripts(stores.redis), still, Settings()) for _ in range(2)]
    caller = principal("free")

    verdicts = await asyncio.gather(*(nodes[n % 2].spend_credential(caller) for n in range(20)))

    assert sum(verdict.is_allowed for verdict in verdicts) == 10


async def test_counters_expire(stores: Stores, still: StillClock, kept_windows: int) -> None:
    """Each has a time to live, which is longer than its window."""
    caller = principal("free")
    await Limits(Scripts(stores.redis), still, Settings()).spend_credential(caller)

    ttls = [await stores.redis.ttl(key) async for key in stores.redis.scan_iter(f"rate:*{caller.credential_id}*")]

    assert [round(ttl / kept_windows) for ttl in sorted(ttls)] == [1, 60]
    assert KEPT_WINDOWS > 1


async def test_20_callers_at_once_against_a_limit_of_10(
    callers: Callers, http: httpx.AsyncClient, client: Client
) -> None:
    """Through the whole gateway: exactly 10 pass, the others get a Retry-After."""
    form = {"grant_type": "client_credentials"}
    token = (await http.post("/oauth/token", data=form, auth=client.basic)).json()["access_token"]
    caller = await callers.bearing(token)

    responses = await asyncio.gather(*(caller.get("/v1/users/usr_1") for _ in range(20)))

    assert Counter(response.status_code for response in responses) == {404: 10, 429: 10}
    refused = next(response for response in responses if response.status_code == 429)
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.json()["error"]["message"] == "Too many requests; try again in 1 second."
    assert refused.headers["Retry-After"] == "1"
    assert (refused.headers["X-RateLimit-Limit"], refused.headers["X-RateLimit-Remaining"]) == ("10", "0")


async def test_addresses_are_limited_where_no_credential_is_needed(
    stores: Stores, auth: Auth, tmp_path: Path, still: StillClock
) -> None:
    """Token requests, unknown paths and refused credentials; the probes are free."""
    settings = Settings(data=tmp_path, anonymous_per_minute=3, anonymous_per_second=2)
    await stores.redis.flushdb()
    app = whole_app(stores=stores, auth=auth, clock=still, settings=settings)
    async with callers_of(app, stores, still) as callers:
        anonymous, liar = await callers.bearing(None), await callers.bearing("nonsense")

        tokens = [(await anonymous.post("/oauth/token")).status_code for _ in range(3)]
        failures = [(await liar.get("/v1/me")).status_code for _ in range(4)]
        probes = [(await anonymous.get("/healthz")).status_code for _ in range(4)]
        still.advance(1)
        unknown = [(await anonymous.get("/unknown")).status_code for _ in range(2)]

    assert tokens[2] == 429
    assert 429 not in tokens[:2]
    assert failures == [401, 401, 401, 429]
    assert probes == [200] * 4
    assert unknown == [404, 429]


async def test_every_answer_has_the_rate_limit_headers(caller: httpx.AsyncClient) -> None:
    """Successes and errors alike."""
    responses = [await caller.get(path) for path in ("/v1/me", "/v1/users/usr_1", "/v1/users?limit=0", "/nowhere")]

    assert [response.status_code for response in responses] == [200, 404, 400, 404]
    assert [response.headers["X-RateLimit-Limit"] for response in responses] == ["1000", "1000", "1000", "50"]
    assert all(int(response.headers["X-RateLimit-Reset"]) > 1_700_000_000 for response in responses)


async def test_using_a_counter_does_not_extend_it(stores: Stores, still: StillClock) -> None:
    """Its time to live begins with its window, so only the first request sets it."""
    limits, caller = Limits(Scripts(stores.redis), still, Settings()), principal("free")
    await limits.spend_credential(caller)
    keys = [key async for key in stores.redis.scan_iter(f"rate:*{caller.credential_id}*")]
    for key in keys:
        await stores.redis.expire(key, 1000)

    await limits.spend_credential(caller)

    assert [900 < await stores.redis.ttl(key) <= 1000 for key in keys] == [True, True]


async def test_credentials_do_not_share_a_limit(stores: Stores, clock: Clock, callers: Callers) -> None:
    """Two keys of one organisation have 1000 each."""
    organisation: Organisation = await make_organisation(stores, clock)
    await make_client(stores, clock, organisation)
    first, second = await callers.of(organisation), await callers.of(organisation)

    await first.get("/v1/me")

    assert (await second.get("/v1/me")).headers["X-RateLimit-Remaining"] == "999"
