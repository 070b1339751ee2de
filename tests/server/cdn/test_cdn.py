"""Static files and published documentation, as visitors see them, and the workflow that publishes."""

from __future__ import annotations

import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import httpx
import pytest
from tests.server.support.callers import Callers
from tests.server.support.publishing import SITE, Publisher, archive_of
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.http.content_types import content_type_of, is_hashed
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects, pieces_of
from redcore_server.worker.objects import ObjectCollector
from redcore_server.worker.workflows import WorkflowRunner
from redcore_server.workflows import docs_publish
from redcore_server.workflows.definition import Run

pytestmark = pytest.mark.anyio


async def test_a_site_is_published_and_served(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """Publicly, with types, entity tags and ranges; a folder shows its index."""
    ended = await publish.site(SITE)

    site = f"/docs/{organisation.id}"
    assert ended["result"] == {"version": ended["id"], "path": f"{site}/", "files": 3}
    front = await anybody.get(f"{site}/")
    assert (front.status_code, front.content) == (200, SITE["index.html"])
    assert front.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (front.headers["Cache-Control"], front.headers["Accept-Ranges"]) == ("public, no-cache", "bytes")
    assert (await anybody.get(f"{site}/guide/")).content == SITE["guide/index.html"]
    assert (await anybody.get(f"{site}/", headers={"If-None-Match": front.headers["ETag"]})).status_code == 304
    part = await anybody.get(f"{site}/", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"h1")
    head = await anybody.head(f"{site}/")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(SITE["index.html"])))


async def test_a_published_page_cannot_act_on_other_pages(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """It runs in a sandbox of an origin of its own, and every kind of file has the header."""
    await publish.site(SITE)

    for path in ("", "guide/", "app.3f2a9c01.js"):
        policy = (await anybody.get(f"/docs/{organisation.id}/{path}")).headers["Content-Security-Policy"]
        assert policy.startswith("sandbox ")
        assert "allow-same-origin" not in policy


async def test_a_published_page_may_read_its_neighbours(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """Its scripts have the origin `null`, so pages and their parts are open to any origin; they need no credentials."""
    await publish.site(SITE)

    for path, headers in (("guide/", {}), ("guide/", {"Range": "bytes=1-2"}), ("guide/", {"If-None-Match": "*"})):
        page = await anybody.get(f"/docs/{organisation.id}/{path}", headers={"Origin": "null", **headers})
        assert page.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in page.headers


async def test_a_name_with_a_hash_is_immutable(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """Browsers need not revalidate what cannot change."""
    await publish.site(SITE)

    script = await anybody.get(f"/docs/{organisation.id}/app.3f2a9c01.js")
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_a_folder_without_its_slash_is_redirected(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """So that relative links work; a path that is not a folder is not found."""
    await publish.site(SITE)

    site = f"/docs/{organisation.id}"
    for path in (site, f"{site}/guide"):
        moved = await anybody.get(path)
        assert (moved.status_code, moved.headers["Location"]) == (301, f"{path}/")
    for path in (f"{site}/nothing", f"{site}/guide/nothing/", "/docs/org_none/", "/docs/", "/docs//", f"{site}//"):
        assert (await anybody.get(path)).status_code == 404


async def test_a_version_replaces_another_and_can_be_restored(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """All files at once; going back needs no upload."""
    first = await publish.site(SITE)
    await publish.site({"index.html": b"two"})

    site = f"/docs/{organisation.id}"
    assert (await anybody.get(f"{site}/")).content == b"two"
    assert (await anybody.get(f"{site}/guide/")).status_code == 404
    back = await publish.run(version=first["id"])
    assert back["result"] == {"version": first["id"], "path": f"{site}/"}
    assert (await anybody.get(f"{site}/guide/")).content == SITE["guide/index.html"]
    assert (await publish.run(version="wfr_none"))["status"] == "failed"


async def test_the_progress_of_many_files_is_reported_in_steps(
    publish: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each report takes longer than to store a small file."""
    monkeypatch.setattr(docs_publish, "_REPORTS", 4)
    report, reported = Run.report, list[float]()

    async def noted(run: Run, progress: float) -> None:
        reported.append(progress)
        await report(run, progress)

    monkeypatch.setattr(Run, "report", noted)
    await publish.site({f"{number}.html": b"" for number in range(40)})

    assert reported == pytest.approx([0, 0.225, 0.45, 0.675, 0.9])


async def test_a_version_of_another_organisation_is_not_found(
    publish: Publisher, callers: Callers, runner: WorkflowRunner, stores: Stores, clock: Clock
) -> None:
    """Knowing its id is not enough to publish or restore its pages."""
    theirs = Publisher(await callers.of(await make_organisation(stores, clock)), runner)
    version = (await theirs.site(SITE))["id"]

    ended = await publish.run(version=version)

    assert ended["error"]["message"].startswith(f"Version {version} is not kept")


async def test_publications_count_for_the_storage_of_the_organisation(
    caller: httpx.AsyncClient, runner: WorkflowRunner, front: Callable[[], Awaitable[bytes]]
) -> None:
    """Those of failed runs and old versions count until they are collected; other files of the organisation do not."""
    size = sum(map(len, SITE.values()))
    publish = Publisher(caller, attrs.evolve(runner, storage_bytes=2 * size))

    broken = archive_of(SITE, zipfile.ZIP_STORED).replace(b"let x = 1", b"let x = 2")  # the last of its files
    ended = [await publish.archive(content) for content in (broken, archive_of(SITE), archive_of(SITE))]

    assert [run["status"] for run in ended] == ["failed", "succeeded", "failed"]
    assert ended[2]["error"]["message"].startswith("The published pages would take more storage")
    assert await front() == SITE["index.html"]


async def test_only_the_newest_versions_are_kept(
    publish: Publisher, stores: Stores, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes of the others are collected hours later."""
    monkeypatch.setattr(docs_publish, "KEPT_VERSIONS", 2)
    runs = []
    for number in range(4):
        clock.advance(1)
        runs.append(await publish.site({"index.html": b"%d" % number}))

    assert (await publish.run(version=runs[0]["id"]))["status"] == "failed"
    assert (await publish.run(version=runs[2]["id"]))["status"] == "succeeded"
    clock.advance(3 * 3600)
    objects = open_objects(settings)
    await ObjectCollector(postgres=stores.postgres, objects=objects, clock=clock).collect(0)
    found = [key async for batch in objects.older_than("docs", clock.now()) for key in batch]
    assert {key.split("/")[-2] for key in found} == {runs[2]["id"], runs[3]["id"]}


@pytest.mark.parametrize("given", [{}, {"file_id": "file_1", "version": "wfr_1"}])
async def test_it_publishes_or_goes_back(publish: Publisher, given: dict[str, str]) -> None:
    """Exactly one of them, or the run fails."""
    assert (await publish.run(**given))["error"]["message"].startswith("Give ")


@pytest.mark.parametrize(
    "path",
    [
        *("/docs/%00", "/docs/org_1/%00", "/docs/%00/index.html", "/static/%00", "/static/a%231"),
        f"/static/{'a' * 300}",
        f"/static/{'a/' * 4000}a",
        f"/docs/org_1/{'a/' * 4000}",
    ],
)
async def test_an_impossible_name_is_not_found(anybody: httpx.AsyncClient, path: str) -> None:
    """NUL, the names of uploads under way and names that are too long for the store are not server errors."""
    assert (await anybody.get(path)).status_code == 404


async def test_static_files_are_served(anybody: httpx.AsyncClient, settings: Settings, tmp_path: Path) -> None:
    """The operator's files, and nothing beside them."""
    objects = open_objects(settings)
    logo = tmp_path / "logo.svg"
    logo.write_bytes(b"<svg/>")
    await objects.put("static/img/logo.svg", pieces_of(logo))
    await objects.put("files/org_1/file_1", pieces_of(logo))

    found = await anybody.get("/static/img/logo.svg")
    assert (found.status_code, found.content, found.headers["Content-Type"]) == (
        200,
        b"<svg/>",
        "image/svg+xml; charset=utf-8",
    )
    assert (
        await anybody.get("/static/img/logo.svg", headers={"If-None-Match": found.headers["ETag"]})
    ).status_code == 304
    for path in (
        "",
        "img",
        "img/",
        "none",
        "%2e%2e/files/org_1/file_1",
        "img/..%2f..%2ffiles/org_1/file_1",
        "a%00b",
        "//",
    ):
        assert (await anybody.get(f"/static/{path}")).status_code == 404, path
    assert (await anybody.post("/static/img/logo.svg")).status_code == 405


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.JS", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.woff2", "font/woff2"),
        ("a", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_the_name(name: str, expected: str) -> None:
    """The same on every machine."""
    assert content_type_of(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app.3f2a9c01.js", True),
        ("d/app-0123456789abcdef.css", True),
        ("app.js", False),
        ("app.deadbeef.js", False),
        ("3f2a9c01/app.js", False),
    ],
)
def test_a_hash_is_recognised_by_its_form(name: str, expected: bool) -> None:  # noqa: FBT001 (a table)
    """Eight or more hexadecimal digits, one of them a number, between the name and its suffix."""
    assert is_hashed(name) == expected
