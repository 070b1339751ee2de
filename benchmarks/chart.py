"""Draws the table as an SVG: for each row a bar for RedCore, its yardstick and each peer, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TypeAlias

Bars: TypeAlias = Sequence[tuple[str, float]]
"""Contestants, each with the ratio to the yardstick; RedCore comes first."""

NAMES_PX, BARS_PX, LINE_PX, GAP_PX = 190, 420, 18, 26
LEAST, MOST = 0.05, 20.0
"""The ratios at both ends of the scale."""
OURS, THEIRS = "#c8362e", "#8a94a3"  # both can be read on white and on black


def draw(rows: Sequence[tuple[str, Bars]]) -> str:
    """Draw the chart of rows, each with its name and its bars."""
    parts: list[str] = []
    y = 0
    for name, bars in rows:
        y += GAP_PX
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{escape(name)}</text>')
        for number, (who, ratio) in enumerate(bars):
            y += LINE_PX
            parts.append(bar(y, who, ratio, OURS if number == 0 else THEIRS))
    width, height = NAMES_PX + BARS_PX + 60, y + GAP_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#7a7a7a">\n<title>Ratios to the yardstick, which is 1</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def bar(y: int, who: str, ratio: float, colour: str) -> str:
    """Draw one bar with its name and its figure."""
    length = BARS_PX * math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return (
        f'<text x="{NAMES_PX - 8}" y="{y}" text-anchor="end">{escape(who)}</text>'
        f'<rect x="{NAMES_PX}" y="{y - 10}" width="{max(length, 1):.0f}" height="12" fill="{colour}"/>'
        f'<text x="{NAMES_PX + max(length, 1) + 6:.0f}" y="{y}">{ratio:.2f}</text>'
    )
