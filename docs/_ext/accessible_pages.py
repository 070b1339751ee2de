"""Mends what axe-core and the platform's sandbox find wrong in pages of Sphinx and furo; `nox -s browser` judges it.

Captions of the navigation are headings without a level, blocks that scroll cannot be
reached by keyboard, and the lines of a signature are lists of definitions without terms.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

SANDBOX = (Path(__file__).parent / "sandbox.js").read_text(encoding="utf-8")
MENDS = (
    (re.compile(r'(<p class="caption" role="heading")(?=>)'), r'\1 aria-level="2"'),
    (re.compile(r"<pre(?= id=| *>)"), '<pre tabindex="0"'),
    (re.compile(r"<dl>(?=\s*<dd>)"), '<dl role="presentation">'),  # a long signature, one parameter a line
    (re.compile(r'<div class="table-wrapper(?=[^>]*>)'), '<div tabindex="0" class="table-wrapper'),
)


def mended(html: str) -> str:
    """The same with each of the faults mended."""
    for pattern, better in MENDS:
        html = pattern.sub(better, html)
    return html


def mend(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Mend what the template is given."""
    for name in ("body", "furo_navigation_tree"):
        if name in context:
            context[name] = mended(context[name])
    context["metatags"] = f"{context.get('metatags', '')}<script>{SANDBOX}</script>"  # before the theme's own scripts


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook, after furo's."""
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
