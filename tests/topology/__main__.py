"""Run the deployment, apply faults, and print what they cost: `python -m tests.topology [smoke] [NAME…]`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

from tests.topology.faults import FAULTS, Fault
from tests.topology.load import Load
from tests.topology.regions import two_regions
from tests.topology.report import Result, draw, gap, table

from redcore_server.process.topology.network import LOOPBACK, Network, separate_zones
from redcore_server.process.topology.system import System, running
from redcore_server.settings import OperatorError

SETTLE_S = 2.0


def main(arguments: list[str]) -> int:
    """Return 0 if everything held."""
    names = [argument for argument in arguments if argument != "smoke"]
    faults = [fault for fault in FAULTS if (fault.smoke if "smoke" in arguments else not names or fault.name in names)]
    picture = Path("topology.svg").absolute()
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory(prefix="topology-") as folder:
        Path(folder).chmod(0o755)
        try:
            with network() as zones:
                objects = two_regions(Path(folder), zones)
                with running(Path(folder), say, network=zones, objects=objects) as system:
                    os.environ["SSL_CERT_FILE"] = str(system.layout.certificates.authority)
                    load, results = asyncio.run(strike_all(system, faults))
        except OperatorError as error:
            print(error)
            for log in sorted((Path(folder) / "logs").glob("*.log")):
                print(f"\n{log.name}", *log.read_text(errors="replace").splitlines()[-5:], sep="\n  ")
            return 1
    print(
        f"\n{table(results)}\n\n{len(load.calls)} calls, {load.stale} of {load.reads} reads stale,"
        f" {time.monotonic() - started:.0f} s in all; {picture}"
    )
    failed = Counter(call.error.split(" (request")[0] for call in load.calls if call.error)
    print("".join(f"  {count} x {problem}\n" for problem, count in failed.most_common()))
    draw(picture, load.calls, results)
    return 0 if all(result.holds for result in results) and not load.stale else 1


def network() -> AbstractContextManager[Network]:
    """Return zones that can be cut off if this account may do that, otherwise the zones on loopback."""
    return separate_zones() if os.geteuid() == 0 else contextlib.nullcontext(LOOPBACK)


async def strike_all(system: System, faults: list[Fault]) -> tuple[Load, list[Result]]:
    """Apply one fault after the other under one load."""
    credentials = dict(
        word.split("=", 1) for word in shlex.split(system.credentials, comments=True) if word != "export"
    )
    results: list[Result] = []
    async with Load(credentials, system.layout.base_url) as load:
        await asyncio.sleep(3)
        for fault in faults:
            results.append(await strike(system, load, fault))
            print(f"{load.now:6.1f} s  {table(results[-1:]).splitlines()[-1]}", flush=True)
    return load, results


async def strike(system: System, load: Load, fault: Fault) -> Result:
    """Apply one fault and compare the ledger afterwards."""
    start = load.now
    outcome = await fault.strike(system, load)
    await asyncio.sleep(SETTLE_S)
    stop = load.now
    await load.settle()
    calls = load.between(start, stop)
    primary = await asyncio.to_thread(system.primary)
    assert primary is not None
    lost, doubled = await asyncio.to_thread(load.ledger.compare, system.place.database_url(primary))
    for each in lost[:5]:
        print("  lost:", each)
    failed = sum(call.error is not None for call in calls)
    late = sum(call.error is not None for call in calls if call.at >= start + fault.noticed_s)
    longest = gap(calls, start, stop)
    few = fault.failures_allowed is None or late <= fault.failures_allowed
    kept = not doubled and (fault.may_lose or not lost)
    return Result(
        fault=fault.name,
        start=start,
        stop=stop,
        calls=len(calls),
        failed=failed,
        gap_s=longest,
        slowest=max(calls, key=lambda call: call.seconds, default=None),
        lost=len(lost),
        doubled=doubled,
        note=outcome.note,
        holds=outcome.holds and few and kept and longest <= fault.gap_s,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
