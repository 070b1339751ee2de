"""Writes `llms.txt` (llmstxt.org): the pages, each with what it is about, for language models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SUMMARY: Final = (
    "RedCore is the Python SDK of the BlueRound platform, with a command line and a reference server to develop "
    "and test against. `pip install redcore-sdk`, then `from redcore import Client, AsyncClient`."
)
LEFT_OUT: Final = ("adr/", "changelog")
ABOUT: Final[dict[str, str]] = {}
"""What each page of this build is about."""
LONGEST: Final = 160
"""Characters of a description, about what fits in a line of a search result."""


def pages(env: BuildEnvironment, parent: str) -> Iterator[str]:
    """The pages below one, in the order of the navigation."""
    yield parent
    for child in env.toctree_includes.get(parent, []):
        yield from pages(env, child)


def description(doctree: nodes.document) -> str:
    """The beginning of the first paragraph."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = " ".join(paragraph.astext().split())
            return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0] + " …"
    return ""


def note(_app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Note what a page is about, now that its links have their texts."""
    ABOUT[page] = description(doctree)


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the file beside the pages."""
    if error is not None or app.builder.format != "html":
        return
    lines = [f"# {app.config.project}", "", f"> {SUMMARY}", ""]
    for page in dict.fromkeys(pages(app.env, app.config.root_doc)):
        if not page.startswith(LEFT_OUT):
            link = f"[{app.env.titles[page].astext()}]({app.config.html_baseurl}{app.builder.get_target_uri(page)})"
            about = ABOUT.get(page) or description(app.env.get_doctree(page))
            lines.append(f"- {link}: {about}" if about else f"- {link}")
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks."""
    app.connect("doctree-resolved", note)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
