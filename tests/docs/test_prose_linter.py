"""proselint finds nothing in the texts read first: README, pages, policies and the news of the next release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from proselint.checks import __register__ as every_check
from proselint.config import DEFAULT, Config
from proselint.registry import CheckRegistry
from proselint.tools import LintFile
from tests.docs.markdown_blocks import PAGES, REPOSITORY

POLICIES = [REPOSITORY / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
NEWS = sorted((REPOSITORY / "changelog.d").glob("*.md"))
CODE = re.compile(r"^(`{3,}).*?^\1$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
CONFIG = Config(
    max_errors=1000,
    checks={  # the first that names a check decides
        "typography.symbols": False,  # quotation marks are straight here, as in code
        **DEFAULT["checks"],
        "lexical_illusions": False,  # takes a heading and its first word, or two cells of a table, for one sentence
    },
)
CheckRegistry().register_many(every_check)


def found(source: str, text: str) -> list[str]:
    """Return the findings of proselint in a text without its code."""
    prose = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    return [
        f"{source}:{result.pos[0]}: {result.check_result.message}" for result in LintFile(source, prose).lint(CONFIG)
    ]


@pytest.mark.parametrize("page", [*PAGES, *POLICIES, *NEWS], ids=lambda page: page.name)
def test_page_reads_well(page: Path) -> None:
    """No cliché, no redundancy, no hedging."""
    assert found(page.name, page.read_text(encoding="utf-8")) == []


def test_linter_is_at_work() -> None:
    """It finds problems in prose, by line, and none in code."""
    (only,) = found("page", "# Page\n\n`very`, and:\n\n```python\nvery = 1\n```\n\nThis is very unique.\n")[:1]
    assert only.startswith("page:9: ")
