"""Checks a page in all its forms: light and dark, on a desktop and on a phone.

axe-core checks what a program can check; the screenshots are for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
from playwright.sync_api import Page, ViewportSize, expect

DESK = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = frozenset({"serious", "critical"})

_FOUND = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  (violation) => ({id: violation.id, impact: violation.impact, nodes: violation.nodes.map((node) => node.html)}))"""
_IS_TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@attrs.frozen
class Inspector:
    """Checks pages, and stores screenshots."""

    axe: str = attrs.field(repr=False)
    """Source of axe-core."""
    folder: Path

    def look(self, page: Page, name: str, sizes: Sequence[ViewportSize] = (PHONE, DESK)) -> None:
        """Fail unless the page is accessible in each size and colour scheme; keep a screenshot of each."""
        for size in sizes:
            device = f"{size['width']} px"
            page.set_viewport_size(size)
            assert not page.evaluate(_IS_TOO_WIDE), f"{name} is wider than {device}"
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=self.folder / f"{name}-{size['width']}-{scheme}.png", full_page=True)
                assert self._grave(page) == [], f"{name}, {device}, {scheme}"
        page.emulate_media(color_scheme="light")

    def _grave(self, page: Page) -> list[dict[str, Any]]:
        page.evaluate(self.axe)  # not as a script of the page: its content security policy allows none
        return [found for found in page.evaluate(_FOUND) if found["impact"] in GRAVE]


def expect_heading(page: Page, text: str) -> None:
    """Wait until a page with this heading is shown."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
