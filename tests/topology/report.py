"""The cost of the faults: a table, and a time line as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path

import attrs
from tests.topology.load import Call


@attrs.frozen(kw_only=True)
class Result:
    """What one fault cost.

    Attributes:
        fault: Its name.
        start: When it was struck, in seconds of the load.
        stop: When the load was settled again.
        calls: In between.
        failed: Of these, after the SDK's retries.
        gap_s: The longest time in which no call that began succeeded.
        slowest: The longest call.
        lost: Acknowledged operations that are not on the primary.
        doubled: Creates that are there twice.
        note: What else was measured.
        holds: Whether all of it is as it must be.
    """

    fault: str
    start: float
    stop: float
    calls: int
    failed: int
    gap_s: float
    slowest: Call | None
    lost: int
    doubled: int
    note: str = ""
    holds: bool


def gap(calls: Sequence[Call], start: float, stop: float) -> float:
    """Return the longest time between the ends of two successful calls."""
    ends = sorted([start, *(call.at + call.seconds for call in calls if call.error is None), stop])
    return max((later - sooner for sooner, later in itertools.pairwise(ends)), default=0.0)


def table(results: Sequence[Result]) -> str:
    """Return the table as text."""
    lines = [
        "| Fault | Calls | Failed | Gap s | Slowest s | Lost | Doubled | Holds | Note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        slowest = f"{r.slowest.seconds:.1f} {r.slowest.kind}" if r.slowest else ""
        lines.append(
            f"| {r.fault} | {r.calls} | {r.failed} | {r.gap_s:.1f} | {slowest} | {r.lost} | {r.doubled} |"
            f" {'yes' if r.holds else 'NO'} | {r.note} |"
        )
    return "\n".join(lines)


def draw(path: Path, calls: Sequence[Call], results: Sequence[Result]) -> None:
    """Write the time line: a dot for each call at its duration, a band for each fault, failed calls in red."""
    width, height, left, top = 1600, 420, 50, 60
    end = max((call.at + call.seconds for call in calls), default=1.0)
    tallest = max((call.seconds for call in calls), default=1.0)

    def x(at: float) -> float:
        return left + (width - left - 20) * at / end

    def y(seconds: float) -> float:
        return height - 40 - (height - top - 40) * seconds / tallest

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            ' font-family="sans-serif" font-size="11">'
        ),
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for index, result in enumerate(results):
        color = "#cfe8cf" if result.holds else "#f6c9c9"
        parts.append(
            f'<rect x="{x(result.start):.1f}" y="{top}" width="{x(result.stop) - x(result.start):.1f}"'
            f' height="{height - top - 40}" fill="{color}"/>'
            f'<text x="{x(result.start):.1f}" y="{14 + 13 * (index % 4)}">{escape(result.fault)}</text>'
        )
    for call in calls:
        color, radius = ("#1f5fa8", 1.2) if call.error is None else ("#c00000", 3)
        parts.append(f'<circle cx="{x(call.at):.1f}" cy="{y(call.seconds):.1f}" r="{radius}" fill="{color}"/>')
    parts += [
        f'<text x="{left}" y="{height - 10}">0 s</text>',
        f'<text x="{width - 60}" y="{height - 10}">{end:.0f} s</text>',
        f'<text x="4" y="{top + 8}">{tallest:.1f} s</text>',
        f'<text x="4" y="{height - 40}">0 s</text>',
        (
            f'<text x="{width // 2 - 160}" y="{height - 10}">'
            "each dot a call of the SDK, at its duration; red: failed</text>"
        ),
        "</svg>",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")
