"""Nothing is lost or doubled while API and worker are killed with -9 at random moments.

`REDCORE_CRASH=full` runs 1000 users and 50,000 products with 20 deaths each, in minutes; without it a smaller number is
run. Random values are drawn from `REDCORE_CRASH_SEED`, which is printed with a failure.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Final
from uuid import uuid4

import anyio
import attrs
import httpx
import pytest
from tests.server.support.callers import rows
from tests.server.support.inbox import Inbox, listening
from tests.server.support.mortal import Mortal
from tests.server.support.nodes import BUSY_MACHINE
from tests.server.support.tenants import Addresses

from redcore import AsyncClient, NetworkError, RedcoreAPIError, User, WorkflowRun
from redcore.testing.server import ReferenceServer
from redcore_server.data_folder import DataFolder
from redcore_server.embedded import EmbeddedServers
from redcore_server.store import Stores, open_stores

pytestmark = pytest.mark.anyio


@attrs.frozen
class Size:
    """How much is done, and how often the server is killed."""

    users: int
    user_deaths: int
    products: int
    imported_users: int
    import_deaths: int
    import_s: float
    """About how long an import works: the moment of death is drawn from it."""
    timeout_s: float
    """A run that is killed repeatedly ends after the last death only."""


FULL: Final = Size(1000, 20, 50_000, 2000, 20, 8.0, 1800)
SMALL: Final = Size(150, 4, 5000, 150, 3, 0.8, 180)
SIZE: Final = FULL if os.environ.get("REDCORE_CRASH") == "full" else SMALL
SEED: Final = int(os.environ.get("REDCORE_CRASH_SEED", "0")) or Random().randrange(1, 10**6)  # noqa: S311 (no secret)
CONCURRENT: Final = 16
LINK: Final = re.compile(r"http://\S+/oauth/invitations/\S+")
MANY: Final = "10000000"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Addresses]:
    """Stores of the test's own: the worker would do other tests' jobs, too."""
    data = tmp_path / "stores"
    with contextlib.closing(DataFolder(data)) as folder, EmbeddedServers(folder) as servers:
        runtime = servers.ready()
        assert runtime.database_url is not None
        assert runtime.redis_url is not None
        yield Addresses(runtime.database_url, runtime.redis_url)


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def mortal(kept: Addresses, inbox: Inbox, tmp_path: Path) -> AsyncIterator[Mortal]:
    print(f"REDCORE_CRASH_SEED={SEED}")  # noqa: T201 (pytest shows it with a failure)
    async with listening(inbox) as smtp_port:
        settings = {
            "REDCORE_SERVER_DATABASE_URL": kept.database_url,
            "REDCORE_SERVER_REDIS_URL": kept.redis_url,
            "REDCORE_SERVER_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            # The limits on requests are not under test.
            **{
                f"REDCORE_SERVER_{who}_PER_{window}": MANY
                for who in ("ENTERPRISE", "ANONYMOUS")
                for window in ("MINUTE", "SECOND")
            },
        }
        server = ReferenceServer(data=tmp_path / "server", lab=False, settings=settings)
        mortal = Mortal(server, Random(SEED))  # noqa: S311 (to be repeatable)
        await anyio.to_thread.run_sync(server.start)
        try:
            yield mortal
        finally:
            await anyio.to_thread.run_sync(server.stop)


@pytest.fixture
async def stores(kept: Addresses, mortal: Mortal) -> AsyncIterator[Stores]:
    async with open_stores(kept.database_url, kept.redis_url, BUSY_MACHINE) as stores:
        yield stores


@pytest.fixture
async def client(mortal: Mortal) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(**mortal.server.application, max_retries=5) as client:
        yield client


def is_open(error: NetworkError | RedcoreAPIError) -> bool:
    """Return whether an error leaves the outcome of the request open.

    `REQUEST_IN_PROGRESS` does: the attempt before it may be ending just now. The caller asks again when the retries of
    the SDK are used up.
    """
    return isinstance(error, NetworkError) or error.status_code >= 500 or error.code == "REQUEST_IN_PROGRESS"


@attrs.define
class Creator:
    """Creates users as a careful caller does: retries with the same `Idempotency-Key` until the outcome is known.

    Attributes:
        client: To call with.
        created: The body of each 201, by e-mail.
        asked_again: How often the SDK's own retries were not enough, by cause.
    """

    client: AsyncClient
    created: dict[str, User] = attrs.field(factory=dict[str, User])
    asked_again: Counter[str] = attrs.field(factory=Counter[str])

    async def create(self, address: str) -> None:
        """Create one user, with any number of attempts."""
        key = str(uuid4())
        while address not in self.created:
            try:
                self.created[address] = await self.client.users.create(email=address, name="Ann", idempotency_key=key)
            except (NetworkError, RedcoreAPIError) as error:
                if not is_open(error):
                    raise
                self.asked_again[getattr(error, "code", type(error).__name__)] += 1
                await anyio.sleep(0.5)


async def test_each_201_has_its_row_and_one_valid_link(
    mortal: Mortal, client: AsyncClient, stores: Stores, inbox: Inbox
) -> None:
    """Users created at 16 concurrent while the server dies repeatedly: each once, each with a mail that works."""
    addresses = [f"ann{number}@example.com" for number in range(SIZE.users)]
    creator, waiting = Creator(client), iter(addresses)

    async def create_some() -> None:
        for address in waiting:
            await creator.create(address)

    async with anyio.create_task_group() as tasks:
        for _ in range(CONCURRENT):
            tasks.start_soon(create_some)
        for moment in sorted(mortal.random.sample(range(SIZE.users), SIZE.user_deaths)):
            while len(creator.created) < moment:  # noqa: ASYNC110 (there is no event to wait for)
                await anyio.sleep(0.001)
            await mortal.die()
            await mortal.rise()
    await all_mailed(stores, SIZE.users)

    made = await rows(stores, "select id, email from users where email like 'ann%%'")
    assert {row["email"]: row["id"] for row in made} == {a: user.id for a, user in creator.created.items()}
    assert len(made) == len(creator.created) == SIZE.users
    mails = await check_mails(mortal, stores, inbox, set(addresses))
    print(f"deaths {mortal.deaths}, asked again {dict(creator.asked_again)}, mails {mails}")  # noqa: T201 (the figures)


async def all_mailed(stores: Stores, users: int) -> None:
    """Wait until every job is done."""
    with anyio.fail_after(SIZE.timeout_s):
        jobs = "select 1 from procrastinate_jobs where task_name = 'send_invitation' limit 1"
        while await rows(stores, jobs):  # noqa: ASYNC110 (there is no event to wait for)
            await anyio.sleep(0.05)
    open_invitations = await rows(
        stores, "select user_id from invitations where voided_at is null and sent_at is not null"
    )
    assert len(open_invitations) == len({row["user_id"] for row in open_invitations}) == users
    assert await rows(stores, "select count(*) from invitations") == [{"count": users}]


async def check_mails(mortal: Mortal, stores: Stores, inbox: Inbox, addresses: set[str]) -> int:
    """Check that each user got a mail and that the last one's link opens the page; return the number of mails."""
    links: dict[str, str] = {}
    for envelope in inbox.received:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        (link,) = LINK.findall(body.get_content())
        links[message["To"]] = link
    assert links.keys() == addresses
    assert len(set(links.values())) == len(addresses)
    async with httpx.AsyncClient() as browser:
        for link in links.values():
            assert (await browser.get(link)).status_code == 200
    return len(inbox.received)


@attrs.define
class Importer:
    """Imports one file after the other, as long as the server is being killed.

    Attributes:
        client: To call with.
        workflow: Its name.
        heading: Of the files.
        row: Of the files, given its number `n` and the `round`.
        count: Rows of a file.
        rounds: So far.
    """

    client: AsyncClient
    workflow: str
    heading: str
    row: str
    count: int
    rounds: int = 0

    async def round(self) -> None:
        """Import the next file, and check that the run says how it ended."""
        self.rounds += 1
        content = self.heading + "".join(self.row.format(n=n, round=self.rounds) for n in range(self.count))
        file = await self.client.files.upload(file=content.encode(), name=f"{self.rounds}.csv")
        ended = await self._ended(await self.client.workflows.run(self.workflow, input={"file_id": file.id}))
        assert ended.status == "succeeded", ended
        assert ended.result is not None
        assert ended.result["failed"] == 0
        assert ended.result["created"] + ended.result.get("updated", 0) == self.count

    async def _ended(self, run: WorkflowRun) -> WorkflowRun:
        with anyio.fail_after(SIZE.timeout_s):
            while run.status in {"queued", "running"}:
                await anyio.sleep(0.2)
                run = await self.client.workflows.get_run(run.id)
        return run


async def test_imports_are_atomic_when_the_server_is_killed(
    mortal: Mortal, client: AsyncClient, stores: Stores, inbox: Inbox
) -> None:
    """Two imports, done repeatedly: at each death of the server a file is imported as a whole, or not at all."""
    patient = client.with_options(max_retries=8)
    products = Importer(patient, "catalog_import", "sku,name,price\n", "S{n},Lamp,{round}\n", SIZE.products)
    users = Importer(patient, "user_import", "email,name\n", "r{round}-{n}@example.com,Ann\n", SIZE.imported_users)
    killing = anyio.Event()

    async def import_meanwhile(importer: Importer) -> None:
        while not killing.is_set():
            await importer.round()

    struck: Counter[str] = Counter()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(import_meanwhile, products)
        tasks.start_soon(import_meanwhile, users)
        while mortal.deaths < SIZE.import_deaths:
            await at_work(stores)
            await anyio.sleep(mortal.random.uniform(0, SIZE.import_s))
            struck.update(await doing(stores))
            await mortal.die()
            await check_catalog(stores)
            await check_imported_users(stores)
            await mortal.rise()
        killing.set()
    invited = users.rounds * SIZE.imported_users
    await all_mailed(stores, invited)

    await check_catalog(stores)
    assert await rows(stores, "select distinct price from products") == [{"price": products.rounds}]
    assert await rows(stores, "select sum(failures) as failures from workflow_runs") == [{"failures": 0}]
    addresses = {f"r{r}-{n}@example.com" for r in range(1, users.rounds + 1) for n in range(SIZE.imported_users)}
    mails = await check_mails(mortal, stores, inbox, addresses)
    rounds = {importer.workflow: importer.rounds for importer in (products, users)}
    print(f"deaths {mortal.deaths} during {dict(struck)}, rounds {rounds}, mails {mails}")  # noqa: T201 (the figures)


_DOING = """select workflow, coalesce(round(progress::numeric, 1), 0)::text as progress
            from procrastinate_jobs as job
            join procrastinate_workers as worker on worker.id = job.worker_id
            join workflow_runs as run on run.id = job.args ->> 'run_id' and run.status = 'running'
            where job.status = 'doing' and worker.last_heartbeat > now() - interval '2 seconds'"""


async def at_work(stores: Stores) -> None:
    """Wait until the worker does a run."""
    with anyio.fail_after(SIZE.timeout_s):
        while not await rows(stores, _DOING):  # noqa: ASYNC110 (there is no event to wait for)
            await anyio.sleep(0.02)


async def doing(stores: Stores) -> list[str]:
    """Return what the worker does now."""
    return [f"{row['workflow']} at {row['progress']}" for row in await rows(stores, _DOING)] or ["nothing"]


async def check_catalog(stores: Stores) -> None:
    """All products are of the last import that reports success, and none before there was one."""
    ended = await rows(
        stores,
        """select split_part(files.name, '.', 1)::int as price, %s::int as count
           from workflow_runs as run join files on files.id = run.input ->> 'file_id'
           where run.workflow = 'catalog_import' and run.status = 'succeeded'
           order by run.created_at desc limit 1""",
        SIZE.products,
    )
    assert await rows(stores, "select price, count(*) from products group by price") == ended


async def check_imported_users(stores: Stores) -> None:
    """There are as many users as in the successful imports; each with one invitation, sent or with one job."""
    (run,) = await rows(
        stores, "select count(*) from workflow_runs where workflow = 'user_import' and status = 'succeeded'"
    )
    (user,) = await rows(stores, "select count(*) from users where email like 'r%%@example.com'")
    assert user["count"] == run["count"] * SIZE.imported_users
    lost = await rows(
        stores,
        """select users.id from users
           left join invitations on invitations.user_id = users.id
           left join procrastinate_jobs as job on job.args ->> 'invitation_id' = invitations.id
           where users.email like 'r%%@example.com'
           group by users.id
           having count(distinct invitations.id) <> 1 or count(distinct job.id) > 1
               or bool_and(invitations.sent_at is null) and count(job.id) = 0""",
    )
    assert lost == []
