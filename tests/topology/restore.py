"""A restore to a moment: base backup, archived log, a new PostgreSQL, `restore-check`, and the checks afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from tests.topology.load import CONTENT, Load
from tests.topology.outcome import Outcome

from redcore import AsyncClient, AuthenticationError, NotFoundError
from redcore_server.embedded.binaries import account_for, postgres_programs, redis_program
from redcore_server.process.topology.layout import redcore_server
from redcore_server.process.topology.program import Program, leashed
from redcore_server.process.topology.stores import PASSWORD
from redcore_server.process.topology.system import System


async def restored(system: System, load: Load) -> Outcome:
    """Delete and revoke after a moment, restore to it beside the running platform, and check."""
    await asyncio.to_thread(_base_backup, system)
    client = load.client()
    number = int(time.monotonic() * 1000)
    deleted = await client.users.create(email=f"back-{number}@example.com", name="Back", role="viewer")
    demoted = await client.users.create(email=f"demoted-{number}@example.com", name="Demoted", role="editor")
    key = await client.api_keys.create(name="Dead", scopes=["products:read"])
    file = await client.files.upload(file=CONTENT, name="Deleted")
    moment = await asyncio.to_thread(_now, system)
    await asyncio.sleep(1.1)  # the log of revocations is read by time
    later = await client.users.create(email=f"later-{number}@example.com", name="Later", role="viewer")
    await client.users.delete(deleted.id)
    await client.users.update(demoted.id, role="viewer")
    await client.api_keys.revoke(key.id)
    await client.files.delete(file.id)
    await asyncio.sleep(3)  # revocations are logged by a job
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        base_url, checked = await asyncio.to_thread(_restore, system, moment, stack)
        took = time.monotonic() - started
        async with AsyncClient(base_url=base_url, api_key=load.credentials["REDCORE_API_KEY"]) as restorer:
            seen = {
                "user back": (await restorer.users.get(deleted.id)).email == deleted.email,
                "later one gone": not await _exists(restorer, later.id),
                "demoted": (await restorer.users.get(demoted.id)).role == "viewer",
                "file whole": await _is_whole(restorer, file.id),
                "key dead": key.id in checked and await _is_dead(base_url, str(key.key)),
            }
    note = ", ".join(f"{name}: {'yes' if is_so else 'NO'}" for name, is_so in seen.items())
    return Outcome(f"{note}; restored, checked and served after {took:.1f} s", all(seen.values()))


def _base_backup(system: System) -> None:
    account = account_for(system.place.folder)
    home = system.place.folder / "restored"
    account.own(home)
    zone = system.primary()
    assert zone is not None
    host, port = system.place.network.ip(zone, 30), "5432"
    options = ["-h", host, "-p", port, "-U", "replicator", "-D", str(home / "data"), "-X", "none", "--checkpoint=fast"]
    command = [*leashed(account), str(postgres_programs(account) / "pg_basebackup"), *options]
    environment = {"PGPASSWORD": PASSWORD, "HOME": str(home)}
    subprocess.run(command, env=environment, check=True, cwd="/", capture_output=True)  # noqa: S603 - PostgreSQL's own


def _now(system: System) -> datetime:
    moment: datetime = _row(system, "select clock_timestamp()")
    return moment


def _row(system: System, query: str) -> Any:
    with psycopg.connect(system.place.database_url(), target_session_attrs="read-write") as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _restore(system: System, moment: datetime, stack: contextlib.ExitStack) -> tuple[str, str]:
    """Restore, check and serve until the stack ends; return the base URL, and the output of `restore-check`."""
    place = system.place
    folder, node = place.folder / "restored", system.layout.nodes[-2]  # of zone A, and not running
    (folder / "redis").mkdir()
    redis = ["--bind", node.host, "--port", "14701", "--save", "", "--dir", str(folder / "redis")]
    environment = {name: value for name, value in node.gateway.environment.items() if not name.endswith("_FILE")} | {
        "REDCORE_SERVER_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@{node.host}:5433/postgres",
        "REDCORE_SERVER_REDIS_URL": f"redis://{node.host}:14701",
    }
    _archive_everything(system)
    _start(system, stack, "postgres", _postgres(system, node.host, moment), account=account_for(place.folder))
    _start(system, stack, "redis", [redis_program(account_for(place.folder)), *redis])
    address = environment["REDCORE_SERVER_DATABASE_URL"]
    system.eventually(lambda: _is_promoted(address), "PostgreSQL is restored")
    checked = subprocess.run(  # noqa: S603 - our own program
        [*place.network.enter("a"), *redcore_server("restore-check", "--since", moment.isoformat())],
        env={**environment, "PATH": "/usr/bin"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    up = ["up", "--host", node.host, "--port", "14090"]
    _start(system, stack, "platform", redcore_server(*up), environment=environment)
    origin = f"https://{node.host}:14090"
    system.eventually(lambda: system.answers(f"{origin}/healthz"), "the restored platform answers")
    return f"{origin}/v1", checked


def _start(
    system: System, stack: contextlib.ExitStack, name: str, command: Sequence[str | Path], **options: Any
) -> None:
    place = system.place
    program = Program(
        name=f"restored-{name}", command=command, logs=place.logs, enter=place.network.enter("a"), **options
    )
    program.start()
    stack.callback(program.kill)


def _archive_everything(system: System) -> None:
    """Let the primary archive what it has written so far."""
    segment = _row(system, "select pg_walfile_name(pg_current_wal_lsn())")
    _row(system, "select pg_switch_wal()")
    system.eventually((system.place.archive / segment).exists, "the log is archived")


def _postgres(system: System, host: str, moment: datetime) -> list[str]:
    """Return the command of a PostgreSQL that replays the archive up to a moment."""
    data = system.place.folder / "restored" / "data"
    (data / "recovery.signal").touch()
    account_for(data).own(data)
    options = {
        "listen_addresses": host,
        "port": "5433",
        "unix_socket_directories": "",
        "hba_file": str(data / "pg_hba.conf"),
        "ident_file": str(data / "pg_ident.conf"),
        "archive_mode": "off",
        "synchronous_standby_names": "",
        "restore_command": f"cp {system.place.archive}/%f %p",
        "recovery_target_time": moment.isoformat(sep=" "),
        "recovery_target_action": "promote",
    }
    program = postgres_programs(account_for(system.place.folder)) / "postgres"
    return [str(program), "-D", str(data), *(word for option in options.items() for word in ("-c", "=".join(option)))]


def _is_promoted(address: str) -> bool:
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            row = connection.execute("select pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and not row[0]


async def _exists(client: AsyncClient, user_id: str) -> bool:
    try:
        await client.users.get(user_id)
    except NotFoundError:
        return False
    return True


async def _is_whole(client: AsyncClient, file_id: str) -> bool:
    return await client.files.download(file_id) == CONTENT


async def _is_dead(base_url: str, key: str) -> bool:
    async with AsyncClient(base_url=base_url, api_key=key) as client:
        try:
            await client.products.list()
        except AuthenticationError:
            return True
    return False
