"""Draws what `nox -s demo` prints as docs/_static/demo.svg, the picture of the README.

`.venv/bin/python examples/tour.py | .venv/bin/python docs/_ext/draw_demo.py` makes it anew.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

TARGET = Path(__file__).parents[1] / "_static" / "demo.svg"
LINE = 20  # pixels from a line to the next, at a font of 14 pixels
WIDTH = 860
SHOWN = 24
"""Lines of the tour that fit on the first screen of the README."""


def drawing(lines: list[str]) -> str:
    """A terminal with these lines, as an SVG."""
    rows = "\n".join(
        f'<text x="20" y="{60 + LINE * place}" class="{"step" if line.startswith("—") else "line"}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    height = 70 + LINE * len(lines)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="What nox -s demo prints">
<style>text {{ font: 14px ui-monospace, Menlo, Consolas, monospace; white-space: pre }} .line {{ fill: #d7dde5 }} .step {{ fill: #7fd1ff; font-weight: bold }}</style>
<rect width="{WIDTH}" height="{height}" rx="10" fill="#131a24"/>
<circle cx="24" cy="22" r="6" fill="#ff5f57"/><circle cx="44" cy="22" r="6" fill="#febc2e"/><circle cx="64" cy="22" r="6" fill="#28c840"/>
{rows}
</svg>
"""


if __name__ == "__main__":
    printed = [line.rstrip() for line in sys.stdin if line.strip()]
    TARGET.write_text(drawing(printed[:SHOWN]), encoding="utf-8")
