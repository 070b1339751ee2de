"""The built documentation in a browser, as the platform serves it: published, sandboxed, with no other host at hand."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Response, Route, ViewportSize, expect
from sphinx.util.inventory import InventoryFile
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.inspection import DESK, Inspector

import redcore.login
import redcore.testing
import redcore.tokens
from redcore import Client
from redcore.testing import ReferenceServer

PAGES = ("index", "tutorial", "calls", "platform", "configuration", "api/users", "reference/resources/users", "search")
"""One page of each kind: cards, code, diagrams, wide tables, tabs, signatures."""
OLDER = "0.0.9"
REPOSITORY = Path(__file__).parents[2]
SIZES = (DESK, ViewportSize(width=390, height=844))
SEARCHES = {
    "429": "troubleshooting.html",
    "changelog": "changelog.html",
    "FastAPI": "frameworks.html",
    "timeout": "calls.html",
    "proxy": "proxies.html",
    "pagination": "paging.html",
    "logout": "login.html",
    "backoff": "calls.html",
    "mock": "testing.html",
    "certificate": "proxies.html",
    "client.users.get": "reference/resources/users.html#client.users.get",
}


@pytest.fixture(scope="session")
def site() -> Path:
    built = os.environ.get("REDCORE_TEST_SITE")
    assert built, "REDCORE_TEST_SITE must name the built documentation: run `nox -s browser`"
    return Path(built)


@pytest.fixture(scope="module")
def published(site: Path, redcore_server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the site that its own workflow has published, with an older version of few pages."""
    folder = tmp_path_factory.mktemp("docs")
    older = folder / "older"
    shutil.copytree(site / "_static", older / "_static")
    for name in ("index.html", "tutorial.html"):
        shutil.copy(site / name, older)
    alone = {"root": "./", "versions": [{"name": OLDER, "folder": "", "pages": ["index.html", "tutorial.html"]}]}
    (older / "versions.js").write_text(f"window.REDCORE_VERSIONS = {json.dumps(alone)};\n", encoding="utf-8")
    command = [sys.executable, "docs/_ext/versions.py", str(folder / "site"), str(site), str(older)]
    subprocess.run(command, check=True, cwd=REPOSITORY)  # noqa: S603 (ours)
    archive = shutil.make_archive(str(folder / "site"), "zip", folder / "site")
    with Client(**redcore_server.api_key) as client:
        file = client.files.upload(file=Path(archive))
        run = client.workflows.wait(client.workflows.run("docs_publish", input={"file_id": file.id}), timeout=300)
    assert run.result is not None, run.error
    # Each test reads with a new browser, without a cache: together, more than one address may in a minute.
    redcore_server.lab.limit_rate(requests_per_minute=100_000, requests_per_second=10_000)
    yield f"{redcore_server.origin}{run.result['path']}"
    redcore_server.lab.restore_rate_limits()


@pytest.fixture
def manual(chromium: Browser, published: str) -> Iterator[Page]:
    """A page in a browser that reaches the platform only; fails on a request elsewhere and on a script error."""
    wrong: list[str] = []

    def only_ours(route: Route) -> None:
        if route.request.url.startswith((published, "data:")):
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    def note_failure(response: Response) -> None:
        if response.status >= 400:
            wrong.append(response.url)

    with chromium.new_context(viewport=DESK) as context:
        context.set_default_timeout(TIMEOUT_MS)
        context.route("**/*", only_ours)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", note_failure)
        yield page
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PAGES)
def test_documentation_is_accessible_in_both_schemes_and_widths(
    manual: Page, published: str, name: str, inspector: Inspector
) -> None:
    """axe-core finds nothing serious, nothing is wider than the screen, and diagrams are drawn."""
    manual.goto(f"{published}{name}.html")
    expect(manual.locator("article h1, h1").first).to_be_visible()
    assert manual.locator(".diagram").count() == manual.locator(".diagram svg").count()
    inspector.look(manual, f"docs-{name.replace('/', '-')}", sizes=SIZES)


@pytest.mark.parametrize(("query", "first"), SEARCHES.items(), ids=SEARCHES)
def test_search_finds_the_guide_first_and_decisions_last(manual: Page, published: str, query: str, first: str) -> None:
    """By title, by number, by name of a method."""
    manual.goto(f"{published}search.html?q={quote(query)}")
    expect(manual.locator(".search-summary")).to_contain_text("found")
    links = [link.get_attribute("href") or "" for link in manual.locator("ul.search > li > a").all()]
    assert links[0].split("?")[0].startswith(first)
    decisions = [place for place, link in enumerate(links) if link.startswith("adr/")]
    guides = [place for place, link in enumerate(links) if "/" not in link.partition("#")[0]]
    assert not decisions or min(decisions) > max(guides)


def test_search_leads_to_the_section(manual: Page, published: str) -> None:
    """A result names the page too, and its link goes to the section."""
    manual.goto(f"{published}search.html?q=pacing")
    found = manual.get_by_role("link", name="Calls and options > Pacing")
    expect(found).to_have_attribute("href", re.compile(r"calls\.html.*#pacing$"))


def test_a_reader_switches_between_versions(manual: Page, published: str) -> None:
    """To the same page of the other version and back, and to the first page if the other version lacks it."""
    menu = manual.locator("nav.versions")

    manual.goto(f"{published}tutorial.html")
    menu.locator("summary").click()
    menu.get_by_role("link", name=OLDER).click()
    expect(manual).to_have_url(f"{published}{OLDER}/tutorial.html")
    menu.locator("summary").click()
    expect(menu.locator("[aria-current]")).to_have_text(OLDER)
    menu.get_by_role("link", name="newest").click()
    expect(manual).to_have_url(f"{published}tutorial.html")

    manual.goto(f"{published}reference/resources/users.html")
    menu.locator("summary").click()
    menu.get_by_role("link", name=OLDER).click()
    expect(manual).to_have_url(f"{published}{OLDER}/index.html")


def test_one_version_alone_offers_no_choice(chromium: Browser, site: Path) -> None:
    """As in a local build, or in a preview."""
    with chromium.new_context(viewport=DESK) as context:
        page = context.new_page()
        page.goto((site / "tutorial.html").as_uri())
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator("nav.versions")).to_be_hidden()


def test_every_public_name_has_an_anchor(site: Path) -> None:
    """Each entry of the inventory, by which other projects link here, is an id on its page."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    places = {
        name.rpartition(".")[2]: item.uri
        for kind, items in inventory.data.items()
        if kind.startswith("py:")
        for name, item in items.items()
    }
    missing = []
    for name in {*redcore.__all__, *redcore.login.__all__, *redcore.testing.__all__, *redcore.tokens.__all__}:
        page, _, anchor = places.get(name, "#").partition("#")
        if not page or f'id="{anchor}"' not in (site / page).read_text(encoding="utf-8"):
            missing.append(name)
    assert missing == []


def test_examples_of_the_reference_are_code(site: Path) -> None:
    """Their quotation marks are straight, so they can be pasted."""
    page = (site / "reference" / "resources" / "users.html").read_text(encoding="utf-8")
    assert """<span class="s2">"Ada King"</span>""" in html.unescape(page)
    assert "”" not in page


def test_copy_button_leaves_prompts_out(manual: Page, published: str) -> None:
    """The clipboard can be pasted into a shell."""
    manual.goto(f"{published}tutorial.html")
    block = manual.locator(".highlight-console").first
    block.hover()
    manual.evaluate("() => { ClipboardJS.prototype.emit = (name, event) => { window.copied = event.text; }; }")
    block.locator("button.copybtn").click()
    copied = manual.evaluate("() => window.copied")
    assert copied.splitlines()[0].startswith("python3 -m venv")
    assert "$ " not in copied


def test_copy_button_takes_a_command_of_several_lines(manual: Page, published: str) -> None:
    """Up to the line that no backslash continues."""
    manual.goto(f"{published}api/products.html")
    manual.evaluate("() => { ClipboardJS.prototype.emit = (name, event) => { window.copied = event.text; }; }")
    manual.get_by_text("Command line", exact=True).locator("visible=true").nth(1).click()
    block = manual.locator(".highlight-console:visible").filter(has_text="products create")
    block.hover()
    block.locator("button.copybtn").click()
    copied = manual.evaluate("() => window.copied")
    assert copied.startswith("redcore products create \\\n")
    assert copied.rstrip().endswith("--stock 12")


def test_documentation_is_reached_by_keyboard(manual: Page, published: str) -> None:
    """The first stop skips to the content; the search takes words and Enter."""
    manual.goto(f"{published}index.html")
    manual.keyboard.press("Tab")
    expect(manual.locator(":focus")).to_have_text("Skip to content")
    manual.locator("input.sidebar-search").focus()
    manual.keyboard.type("FastAPI")
    manual.keyboard.press("Enter")
    expect(manual.locator("ul.search > li > a").first).to_have_text("Frameworks and platforms")


def test_theme_button_switches_to_dark_without_storage(manual: Page, published: str) -> None:
    """The platform's sandbox refuses localStorage; the page works all the same."""
    manual.goto(f"{published}index.html")
    button = manual.locator("button.theme-toggle:visible").first
    for _ in range(3):
        button.click()
        if manual.locator("body").get_attribute("data-theme") == "dark":
            return
    pytest.fail("the theme never became dark")
