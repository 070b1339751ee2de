"""Decision records have one form, and numbers without a gap."""

from __future__ import annotations

import re

from tests.docs.markdown_blocks import REPOSITORY

FOLDER = REPOSITORY / "docs" / "adr"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}


def test_numbers_have_no_gap() -> None:
    """File names count from 0001, and each heading has the number of its file."""
    assert [int(name[:4]) for name in TEXTS] == list(range(1, len(TEXTS) + 1))
    assert [text.partition(".")[0] for text in TEXTS.values()] == [f"# {number}" for number in range(1, len(TEXTS) + 1)]


def test_each_has_context_decision_and_consequence() -> None:
    """In this order."""
    odd = [
        name
        for name, text in TEXTS.items()
        if not re.search(r"\*\*Context\..*\*\*Decision\..*\*\*Consequences?\.", text, re.DOTALL)
    ]
    assert odd == []


def test_a_superseded_decision_names_its_successor() -> None:
    """On a line of its own below the heading."""
    for name, text in TEXTS.items():
        if "uperseded" in text:
            (number,) = re.findall(r"^\*Superseded (?:in part )?by ADR (\d+)", text, re.MULTILINE)
            assert int(number) > int(name[:4])
