"""Measures the rows, each by itself: all its contestants in short turns, round after round.

Other load on the machine affects all of them alike, so a ratio is taken within each round, and the result is the median
of the rounds' ratios.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TypeAlias

import attrs

from cold_starts import first_call_s, import_s
from rows import Row
from worker import Cost, Worker, start

Meter: TypeAlias = Callable[[], float]
"""Makes a contestant work for a short while. Returns seconds per call, or calls per second."""


@attrs.frozen
class Result:
    """The result of a contestant."""

    contestant: str
    value: float
    """In seconds per call, or calls per second."""
    ratio: float
    """To the yardstick."""


@attrs.frozen
class Bench:
    """Where the rows are measured: a stub that answers, and a process for each contestant, started on first use."""

    origin: str
    rounds: int
    peers: bool
    """Whether peers are measured too."""
    _stack: ExitStack
    _workers: dict[str, Worker] = attrs.field(factory=dict[str, Worker])

    def measure(self, row: Row) -> list[Result]:
        """Return the results of a row: of the yardstick, of RedCore, of its peers."""
        names = [row.yardstick, row.ours, *(row.peers if self.peers else ())]
        meters = [self._meter(row, name) for name in names]
        rounds = [[meter() for meter in meters] for _ in range(self.rounds)]
        return [compare(name, values, rounds) for name, values in zip(names, zip(*rounds, strict=True), strict=True)]

    def _meter(self, row: Row, name: str) -> Meter:
        """Return a meter of a contestant that has warmed up."""
        if row.measured == "import":
            import_s(name)  # compiles it
            return partial(import_s, name)
        if row.measured == "first call":
            first_call_s(name, self.origin)
            return partial(first_call_s, name, self.origin)
        if (worker := self._workers.get(name)) is None:
            worker = self._workers[name] = self._stack.enter_context(start(name, self.origin))
        worker.do(row.method, row.warm_up, row.tasks)
        cost = worker.do(row.method, row.warm_up, row.tasks)
        return partial(turn, worker, row, max(1, round(row.slice_s / (cost.wall_s * row.tasks))))


def compare(name: str, values: Sequence[float], rounds: list[list[float]]) -> Result:
    """Return the medians of a contestant's rounds; the yardstick is the first of each."""
    ratios = [value / turn[0] for value, turn in zip(values, rounds, strict=True)]
    return Result(name, statistics.median(values), statistics.median(ratios))


def turn(worker: Worker, row: Row, times: int) -> float:
    """Run one turn of a contestant."""
    cost: Cost = worker.do(row.method, times, row.tasks)
    return {"CPU": cost.cpu_s, "time": cost.wall_s, "calls/s": 1 / cost.wall_s}[row.measured]
