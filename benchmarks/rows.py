"""The rows of the benchmark: each compares RedCore with a yardstick, beside its peers. Pure data."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Row:
    """A line of the table. Contestants are classes of `contestants` and `peers`, or modules that are imported."""

    name: str
    yardstick: str
    ours: str
    peers: tuple[str, ...] = ()
    method: str = "one"
    """The method of the contestants; not for imports."""
    tasks: int = 1
    """The number of concurrent tasks."""
    measured: Literal["CPU", "time", "calls/s", "import", "first call"] = "CPU"
    best_before: str
    """The best peer when the goals were set."""
    reach: float
    """The ratio that must be reached."""
    aim: float
    """The ratio to aim at."""
    slice_s: float = 0.1
    """How long a contestant works in its turn."""
    warm_up: int = 30
    """The number of calls before it is measured."""

    @property
    def more_is_better(self) -> bool:
        """Whether a greater ratio is a better one."""
        return self.measured == "calls/s"

    def reached(self, ratio: float) -> bool:
        """Return whether a ratio reaches its goal."""
        return ratio >= self.reach if self.more_is_better else ratio <= self.reach


BARE = ("Httpx2", "Pyqwest", "Pyreqwest")
BLOCKING = (
    *(f"peers.{name}" for name in BARE),
    "peers.WorkOS",
    "peers.OpenAI",
    "peers.Stripe",
    "peers.Azure",
    "peers.Botocore",
)
AWAITING = (*(f"peers.Async{name}" for name in BARE), "peers.AsyncWorkOS", "peers.AsyncOpenAI", "peers.AsyncStripe")

ROWS = [
    Row(
        name="sync, one user",
        yardstick="contestants.Httpx",
        ours="contestants.Redcore",
        peers=BLOCKING,
        best_before="workos 0.91",
        reach=0.24,
        aim=0.15,
    ),
    Row(
        name="sync, list of 100",
        method="many",
        yardstick="contestants.Httpx",
        ours="contestants.Redcore",
        peers=BLOCKING,
        best_before="workos 1.44",
        reach=0.32,
        aim=0.22,
    ),
    Row(
        name="async, one user",
        yardstick="contestants.AsyncHttpx",
        ours="contestants.AsyncRedcore",
        peers=AWAITING,
        best_before="workos 0.89",
        reach=0.20,
        aim=0.14,
    ),
    Row(
        name="async, list of 100",
        method="many",
        yardstick="contestants.AsyncHttpx",
        ours="contestants.AsyncRedcore",
        peers=AWAITING,
        best_before="workos 1.24",
        reach=0.22,
        aim=0.16,
    ),
    Row(
        name="100 async workers",
        tasks=100,
        measured="calls/s",
        yardstick="contestants.AsyncHttpx",
        ours="contestants.AsyncRedcore",
        peers=(*(f"peers.Async{name}" for name in BARE), "peers.AiohttpOpenAI", "peers.AsyncWorkOS"),
        best_before="openai with aiohttp 3.7",
        reach=14,
        aim=20,
        slice_s=0.5,
        warm_up=2,
    ),
    Row(
        name="100 async workers, CPU",
        tasks=100,
        yardstick="contestants.AsyncAiohttp",
        ours="contestants.AsyncRedcore",
        peers=("peers.AsyncPyqwest", "peers.AsyncPyreqwest"),
        best_before="RedCore 2.4",
        reach=1.1,
        aim=0.8,
        slice_s=0.5,
        warm_up=2,
    ),
    Row(
        name="read 100 users",
        method="many",
        yardstick="contestants.Cattrs",
        ours="contestants.RedcoreReader",
        peers=("peers.Pydantic",),
        best_before="pydantic 0.40",
        reach=0.40,
        aim=0.15,
        slice_s=0.02,
    ),
    Row(
        name="import",
        yardstick="httpx",
        ours="redcore",
        peers=("auth0", "workos", "openai"),
        measured="import",
        best_before="auth0 1.3",
        reach=1.0,
        aim=0.3,
    ),
    Row(
        name="first call, cold",
        yardstick="httpx",
        ours="redcore",
        measured="first call",
        best_before="RedCore 1.8",
        reach=1.8,
        aim=1.0,
    ),
    Row(
        name="walk 10,000 users",
        method="walk",
        measured="time",
        yardstick="contestants.Walk",
        ours="contestants.WalkAhead",
        best_before="none has it",
        reach=0.2,
        aim=0.13,
        warm_up=1,
    ),
]
