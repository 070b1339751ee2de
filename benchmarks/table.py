"""Prints RedCore's client layer beside its peers, in the form of the table of goals (docs/benchmarks.md).

    python benchmarks/table.py [--only "sync, one user"] [--rounds 11] [--no-peers] [--chart FILE]

The peers are those of the dependency group `bench`. A row whose goal is missed ends the run with an error.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chart import Bars, draw
from measure import Bench, Result
from rows import ROWS, Row

HEADINGS = ("", "best peer before", "reach", "aim", "RedCore", "yardstick", "peers in this run")


@contextmanager
def stub() -> Generator[str]:
    """Run the server that all contestants call; yield its origin."""
    script = Path(__file__).with_name("stub.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own)
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            yield process.stdout.readline().removeprefix("ready ").strip()
        finally:
            process.terminate()


def line(row: Row, yardstick: Result, ours: Result, peers: Sequence[Result]) -> Sequence[str]:
    """Return the cells of a row."""
    others = sorted(peers, key=lambda peer: peer.ratio, reverse=row.more_is_better)
    return (
        row.name,
        row.best_before,
        f"{row.reach:.2f}",
        f"{row.aim:.2f}",
        f"**{ours.ratio:.2f}**" + ("" if row.reached(ours.ratio) else " (missed)"),
        f"{name_of(yardstick)} {amount(row, yardstick)}",
        ", ".join(f"{name_of(peer)} {peer.ratio:.2f}" for peer in others),
    )


def name_of(result: Result) -> str:
    """Return the name of a contestant."""
    return result.contestant.rpartition(".")[2]


def amount(row: Row, result: Result) -> str:
    """Return the measured value, in its unit."""
    if row.more_is_better:
        return f"{result.value:.0f}/s"
    return f"{result.value * 1e6:.0f} µs" if result.value < 0.01 else f"{result.value:.2f} s"


def tell(cells: Sequence[str]) -> None:
    """Print a line of the table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], help="a row; may be repeated")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--no-peers", action="store_true", help="only RedCore and the yardsticks")
    parser.add_argument("--chart", type=Path, help="also draw the table, as an SVG")
    given = parser.parse_args()
    tell(HEADINGS)
    tell(["---"] * len(HEADINGS))
    missed: list[str] = []
    drawn: list[tuple[str, Bars]] = []
    with stub() as origin, ExitStack() as stack:
        bench = Bench(origin, given.rounds, not given.no_peers, stack)
        for row in ROWS:
            if given.only and row.name not in given.only:
                continue
            yardstick, ours, *peers = bench.measure(row)
            tell(line(row, yardstick, ours, peers))
            drawn.append((row.name, [(name_of(each), each.ratio) for each in (ours, yardstick, *peers)]))
            if not row.reached(ours.ratio):
                missed.append(row.name)
    if given.chart is not None:
        given.chart.write_text(draw(drawn), encoding="utf-8")
    if missed:
        raise SystemExit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
