"""Uploads and downloads, imports, exports, published documentation."""

from __future__ import annotations

import zipfile
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Run

from redcore import WorkflowRun, WorkflowRunError
from redcore.testing import Fault, Lab, ReferenceServer, make


def test_files_and_folders_round_trip(cli: Run, tmp_path: Path) -> None:
    """Each file of a folder is stored under its path in it; a download gets the file's name."""
    folder = tmp_path / "site"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"one")
    (folder / "inner" / "b.txt").write_bytes(b"two")

    assert cli("files", "upload", str(folder)).code == 2
    rows = [line.split("\t") for line in cli("files", "upload", "-r", str(folder)).out.splitlines()]
    assert [row[1] for row in rows] == ["a.txt", "inner/b.txt"]
    target = tmp_path / "here"
    target.mkdir()
    outcome = cli("files", "download", rows[0][0], rows[1][0], "--to", str(target))
    assert outcome.out.split() == [str(target / "a.txt"), str(target / "b.txt")]
    assert (target / "b.txt").read_bytes() == b"two"


def test_upload_from_stdin_and_download_to_stdout(cli: Run) -> None:
    """Bytes pass unchanged."""
    file = cli("files", "upload", "-", "--name", "t.bin", "--json", "id", stdin=b"a\nb\n").json[0]["id"]

    assert cli("files", "download", file, "--to", "-").out == "a\nb\n"


def test_an_existing_file_is_not_overwritten(cli: Run, tmp_path: Path) -> None:
    """`--force` overwrites it."""
    file = cli("files", "upload", "-", "--name", "t.txt", "--json", "id", stdin="new").json[0]["id"]
    target = tmp_path / "t.txt"
    target.write_text("old")

    assert cli("files", "download", file, "--to", str(target)).code == 2
    assert target.read_text() == "old"
    assert cli("files", "download", file, "--to", str(target), "--force").code == 0
    assert target.read_text() == "new"


def test_an_import_names_the_bad_rows(cli: Run, tmp_path: Path) -> None:
    """Exit code 1 and the problems; nothing is imported."""
    file = tmp_path / "p.csv"
    file.write_text("sku,name,price,stock\nA,Engine,1,1\nB,Wheel,dear,1\n")
    outcome = cli("products", "import", str(file))

    assert outcome.code == 1
    assert "price" in outcome.err
    assert cli("products", "list").out == ""


def test_a_catalog_round_trips(cli: Run, tmp_path: Path) -> None:
    """An exported catalog can be imported again."""
    file = tmp_path / "p.csv"
    file.write_text("sku,name,price,stock\nA,Engine,1,1\nB,Wheel,2,0\n")
    assert cli("products", "import", str(file), "--json", "status").json == {"status": "succeeded"}
    out = tmp_path / "out.jsonl"
    assert cli("products", "export", "--format", "jsonl", "--to", str(out)).code == 0

    assert len(out.read_text().splitlines()) == 2


def test_a_catalog_is_exported_to_stdout(cli: Run) -> None:
    """Stdout has nothing else, so that it can be piped."""
    cli("products", "create", "--name", "Engine", "--sku", "E-1", "--price", "100")
    outcome = cli("products", "export", "--to", "-")

    assert [line.split(",")[1] for line in outcome.out.splitlines()] == ["sku", "E-1"]


def test_an_export_that_fails_leaves_no_file(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 1, and stderr says why."""
    error = WorkflowRunError(message="out of paper", details=())
    run = make(WorkflowRun, id="wfr_7", status="failed", result=None, error=error)
    monkeypatch.setattr("redcore.cli.jobs.watched", lambda *_: run)
    outcome = cli("products", "export", "--to", str(tmp_path / "out.csv"))

    assert (outcome.code, outcome.out, (tmp_path / "out.csv").exists()) == (1, "", False)
    assert "the run wfr_7 failed: out of paper" in outcome.err


def test_an_archive_of_pages_is_published(cli: Run, tmp_path: Path, redcore_server: ReferenceServer) -> None:
    """The archive is sent unchanged."""
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
        archive.writestr("index.html", "<h1>Packed</h1>")
    outcome = cli("docs", "publish", str(tmp_path / "site.zip"), "--json", "result")

    assert "Packed" in httpx.get(redcore_server.origin + outcome.json["result"]["path"], follow_redirects=True).text


def test_people_are_invited_from_a_file(cli: Run) -> None:
    """`users import -` reads stdin."""
    outcome = cli("users", "import", "-", "--json", "result", stdin="email,name\nada@example.com,Ada\n")

    assert outcome.json["result"]["created"] == 1


def test_a_folder_of_pages_is_published(cli: Run, tmp_path: Path, redcore_server: ReferenceServer) -> None:
    """The path in the result serves the page; a folder without pages is refused before anything is sent."""
    pages = tmp_path / "html"
    pages.mkdir()
    assert cli("docs", "publish", str(pages)).code == 2
    (pages / "index.html").write_text("<h1>Hello</h1>")
    outcome = cli("docs", "publish", str(pages), "--json", "result")

    assert "Hello" in httpx.get(redcore_server.origin + outcome.json["result"]["path"], follow_redirects=True).text


def test_a_run_can_be_watched_and_its_failure_is_the_exit_code(cli: Run) -> None:
    """A missing file fails the run."""
    run = cli("workflows", "run", "catalog_import", "--input", "-", "--json", "id", stdin='{"file_id": "file_none"}')
    watched = cli("runs", "watch", run.json["id"])

    assert watched.code == 1
    assert "failed" in watched.err


@pytest.mark.parametrize("words", [["files", "upload", "/nowhere"], ["users", "import", "/nowhere"]])
def test_a_missing_file_is_reported_before_anything_is_sent(cli: Run, words: list[str]) -> None:
    """Exit code 2."""
    assert cli(*words).code == 2


def test_a_file_that_cannot_be_stored_does_not_stop_the_others(cli: Run, tmp_path: Path) -> None:
    """The exit code says that one failed; stderr names it."""
    names = [str(tmp_path / f"{name}.txt") for name in "abc"]
    for name in names[::2]:
        Path(name).write_text("x")
    Path(names[1]).symlink_to("/proc/self/mem")  # exists, and cannot be read
    outcome = cli("files", "upload", *names)

    assert outcome.code != 0
    assert [line.split("\t")[1] for line in outcome.out.splitlines()] == ["a.txt", "c.txt"]
    assert f"{names[1]} was not stored" in outcome.err
    assert "1 of 3 files were not stored" in outcome.err


def test_links_in_a_folder_are_skipped(cli: Run, tmp_path: Path, redcore_server: ReferenceServer) -> None:
    """They may lead out of it, or in circles; each is named. Hidden files are not published."""
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret-word")
    (folder / "index.html").write_text("<h1>Hello</h1>")
    (folder / ".env").write_text("secret-word")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "round").symlink_to(folder)
    uploaded = cli("files", "upload", "-r", str(folder), "--json", "name")
    path = cli("docs", "publish", str(folder), "--json", "result").json["result"]["path"]

    assert [file["name"] for file in uploaded.json] == [".env", "index.html"]
    assert "out.txt is a link" in uploaded.err
    for name in ("out.txt", ".env"):
        assert httpx.get(f"{redcore_server.origin}{path}{name}").status_code == 404


@pytest.mark.parametrize("target", ["/dev/full", "/proc/none/file"])
def test_a_target_that_cannot_be_written_is_a_failure_in_words(cli: Run, target: str) -> None:
    """Exit code 1, as the command line was right."""
    file = cli("files", "upload", "-", "--name", "t.txt", "--json", "id", stdin="new").json[0]["id"]
    outcome = cli("files", "download", file, "--to", target)

    assert (outcome.code, "cannot be written" in outcome.err) == (1, True)


def test_a_download_into_a_folder_does_not_follow_a_link_of_its_name(cli: Run, tmp_path: Path) -> None:
    """Another user may have put it there, in a folder that many can write to."""
    file = cli("files", "upload", "-", "--name", "t.txt", "--json", "id", stdin="new").json[0]["id"]
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "t.txt").symlink_to(tmp_path / "elsewhere")
    outcome = cli("files", "download", file, "--to", str(folder))

    assert (outcome.code, "is a link" in outcome.err, (tmp_path / "elsewhere").exists()) == (2, True, False)


def test_a_name_from_the_server_is_made_visible(cli: Run, tmp_path: Path, redcore_lab: Lab) -> None:
    """What a terminal would obey, what reverses the direction of text, and NUL, which no file name can have."""
    fields = "id,name,content_type,size,sha256,created_at"
    stored = cli("files", "upload", "-", "--name", "t.txt", "--json", fields, stdin="new").json[0]
    described = {**stored, "name": "../a\x1b[2Jb\0c\u202etxt.exe"}
    meta = {"request_id": "req_1", "version": "1.2.0"}
    redcore_lab.inject("GET", f"/v1/files/{stored['id']}", [Fault(status=200, body={"data": described, "meta": meta})])

    outcome = cli("files", "download", stored["id"], "--to", str(tmp_path))

    assert (outcome.code, [file.name for file in tmp_path.iterdir()]) == (0, ["a_[2Jb_c_txt.exe"])


@pytest.mark.parametrize("command", [["products", "import"], ["users", "import"], ["files", "upload"]])
def test_a_dry_run_of_a_transfer_prints_its_requests(
    cli: Run, tmp_path: Path, redcore_lab: Lab, command: list[str]
) -> None:
    """Nothing is sent."""
    file = tmp_path / "p.csv"
    file.write_text("sku,name,price,stock\n")
    shown = cli(*command, str(file), "--dry-run", "--output", "json").json

    assert shown[0] == {"method": "POST", "path": "/v1/files", "body": {"name": "p.csv", "file": str(file)}}
    assert [request["path"].rpartition("/")[2] for request in shown[1:]] in ([], ["runs"])
    assert redcore_lab.requests() == []


def test_a_dry_run_of_publishing_prints_its_requests(cli: Run, tmp_path: Path, redcore_lab: Lab) -> None:
    """Nothing is packed or sent."""
    (tmp_path / "index.html").write_text("<h1>Hello</h1>")
    shown = cli("docs", "publish", str(tmp_path), "--dry-run", "--output", "json").json

    assert [request["path"] for request in shown] == ["/v1/files", "/v1/workflows/docs_publish/runs"]
    assert redcore_lab.requests() == []
