"""PostgreSQL: migrations, named queries, addresses in errors."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests.server.support.databases import empty_database
from tests.server.support.tenants import Addresses

from redcore_server.clock import Clock
from redcore_server.store.address import StoreError, without_password
from redcore_server.store.migrate import migrate
from redcore_server.store.postgres import Lent, async_pool, connect, queries

MIGRATIONS = Path(queries.__wrapped__.__code__.co_filename).parent / "migrations"
EVERYTHING = [*sorted(path.stem for path in MIGRATIONS.glob("*.sql")), "procrastinate/schema"]


@pytest.fixture
def unmigrated(addresses: Addresses) -> Iterator[str]:
    with empty_database(addresses) as own:
        yield own.database_url


def test_migrating_twice_applies_everything_once(unmigrated: str) -> None:
    """The first run applies our migrations and procrastinate's schema, the second finds nothing to do."""
    first = migrate(unmigrated, clock=Clock())
    second = migrate(unmigrated, clock=Clock())

    assert first == EVERYTHING
    assert second == []


def test_two_processes_migrating_at_once(unmigrated: str) -> None:
    """Of several that start together one applies a migration, the others wait and then find it applied."""
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: migrate(unmigrated, clock=Clock()), range(4)))

    assert sorted(runs) == [[], [], [], EVERYTHING]


def test_procrastinate_schema_is_complete(unmigrated: str) -> None:
    """Its single migrations count as applied, so that an upgrade of the package runs only the new ones."""
    migrate(unmigrated, clock=Clock())

    with psycopg.connect(unmigrated) as connection:
        applied = {row[0] for row in connection.execute("select name from schema_migrations")}
        jobs = connection.execute("select count(*) from procrastinate_jobs").fetchone()

    assert {"procrastinate/schema", "procrastinate/03.04.00_01_pre_add_retry_failed_job_procedure"} <= applied
    assert jobs == (0,)


def test_newer_procrastinate_migrations_are_applied_one_by_one(unmigrated: str) -> None:
    """On a database with the schema, a missing migration is run by itself."""
    missing = "procrastinate/03.04.00_50_post_add_retry_failed_job_procedure"
    migrate(unmigrated, clock=Clock())
    with psycopg.connect(unmigrated) as connection:
        connection.execute("delete from schema_migrations where name = %s", (missing,))

    assert migrate(unmigrated, clock=Clock()) == [missing]


@pytest.mark.parametrize(
    ("migration", "name", "q"),
    [
        ("0009", "Cafe\u0301 \u039f\u0394\u039f\u03a3", "CAF\u00c9 \u03bf\u03b4\u03bf\u03c2"),
        ("0018", "Stra\u00dfe", "STRASSE"),
    ],
)
def test_rows_from_before_a_migration_are_found_like_later_ones(
    unmigrated: str, migration: str, name: str, q: str
) -> None:
    """It computes the index anew, for every existing row whose letters it reads in another way."""
    before = [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.stem < migration]
    with psycopg.connect(unmigrated) as connection:
        connection.execute("create table schema_migrations (name text primary key, applied_at timestamptz not null)")
        for path in before:
            connection.execute(path.read_bytes())
            connection.execute("insert into schema_migrations values (%s, '2026-01-01')", (path.stem,))
        connection.execute("insert into organisations values ('org_1', 'Test', 'free', '2026-01-01')")
        connection.execute(
            """insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
               values ('prod_1', 'org_1', %s, 'A', 1, 1, 'available', '2026-01-01', '2026-01-01')""",
            (name,),
        )

    migrate(unmigrated, clock=Clock())

    with psycopg.connect(unmigrated) as connection:
        found = connection.execute("select id from products where search @> trigrams(%s)", (q,))
        assert found.fetchall() == [("prod_1",)]


def test_letters_and_trigrams_are_unchanged(unmigrated: str) -> None:
    """0013 computes them in another way: rows of before and after are found by the same searches."""
    texts = [
        "",
        "a",
        "ab",
        "abab abab",
        "Cafe\u0301 \u039f\u0394\u039f\u03a3",
        "\ufb01 \u2460 \U0001f600\U0001f600 \u6f22\u5b57",
        "\u0130\u00df",
    ]
    asked = """select letters(text), array(select distinct unnest(trigrams(text)) order by 1)
               from unnest(%s::text[]) as text"""
    with psycopg.connect(unmigrated, autocommit=True) as connection:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            if path.stem == "0013_quick_letters":
                break
            connection.execute(path.read_bytes())
        before = connection.execute(asked, (texts,)).fetchall()

        connection.execute(path.read_bytes())

        assert connection.execute(asked, (texts,)).fetchall() == before
        assert before[2] == (["a", "b", "ab"], [])


def test_functions_of_computed_columns_need_no_search_path(unmigrated: str) -> None:
    """A dump is restored with an empty one."""
    migrate(unmigrated, clock=Clock())

    with psycopg.connect(unmigrated) as connection:
        connection.execute("set search_path = ''")
        found = connection.execute("select public.trigrams('\u00c9t\u00e9'), public.letters('\u00c9')")
        assert found.fetchone() == (["\u00e9t\u00e9"], ["\u00e9"])


def test_the_check_does_not_import_procrastinate(addresses: Addresses) -> None:
    """An up-to-date database must not cost the import of the queue at each start."""
    program = """
import sys
from redcore_server.clock import Clock
from redcore_server.store.migrate import migrate
assert migrate(sys.stdin.read(), clock=Clock()) == []
assert "procrastinate" not in sys.modules
"""
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], input=addresses.database_url.encode(), check=True
    )


def test_queries_are_found_by_name() -> None:
    """A block is the text between its heading and the next."""
    assert queries("signing_keys")["lock"] == b"select pg_advisory_xact_lock(%(lock)s)"
    assert list(queries("signing_keys")) == ["lock", "published", "add", "retire_others"]


def test_no_migration_or_query_reads_the_database_clock() -> None:
    """Time comes from the server's clock alone."""
    store = Path(queries.__wrapped__.__code__.co_filename).parent
    sources = [*store.glob("queries/*.sql"), *store.glob("migrations/*.sql")]

    assert sources
    for source in sources:
        text = source.read_text(encoding="utf-8").lower()
        assert "now()" not in text
        assert "current_timestamp" not in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://postgres:canary@127.0.0.1:1/shop", "PostgreSQL at 127.0.0.1:1/shop cannot be used"),
        (
            "postgresql://canary:canary@127.0.0.1:port/shop",
            "PostgreSQL at an unreadable address cannot be used",
        ),
        ("canary", "REDCORE_SERVER_DATABASE_URL is not a PostgreSQL URL"),
        (
            "postgresql://u:canary@127.0.0.1/shop?canary=1",
            "REDCORE_SERVER_DATABASE_URL is not a PostgreSQL URL",
        ),
    ],
)
def test_unusable_database_is_named_without_password(url: str, words: str) -> None:
    """The operator learns which store it is and what to correct; no log has the password."""
    with pytest.raises(StoreError, match="REDCORE_SERVER_DATABASE_URL") as caught:
        connect(url)

    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://user:canary@cache.example:6379/0", "cache.example:6379/0"),
        ("redis://cache.example", "cache.example"),
        ("redis://:canary@[::1", "an unreadable address"),
        ("canary", "an address without a host"),
    ],
)
def test_address_leaves_the_password_out(url: str, said: str) -> None:
    """Host, port and database may be shown."""
    assert without_password(url) == said


@pytest.mark.anyio
async def test_a_connection_is_returned_whatever_happened(addresses: Addresses) -> None:
    """From a pool of one: after a statement, after one that fails, and another one after PostgreSQL has ended it."""
    async with async_pool(addresses.database_url, min_size=1, max_size=1) as pool:
        for sql, error in ((b"select 1", None), (b"select 1/0", psycopg.errors.DivisionByZero)):
            with pytest.raises(error) if error else contextlib.nullcontext():
                async with Lent(pool) as connection:
                    await connection.execute(sql)
        with pytest.raises(psycopg.OperationalError):
            async with Lent(pool) as connection:
                await connection.execute(b"select pg_terminate_backend(pg_backend_pid())")

        async with Lent(pool) as connection:
            assert await (await connection.execute(b"select 2 as number")).fetchone() == {"number": 2}
