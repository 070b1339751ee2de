"""Archives of documentation: what is published of them, and which are refused."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
import pytest
from tests.server.support.publishing import SITE, Publisher, archive_of
from tests.server.support.tenants import Organisation

from redcore_server.workflows import docs_publish

pytestmark = pytest.mark.anyio


def linked() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return written.getvalue()


def twice() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", "2")
    return written.getvalue()


def damaged() -> bytes:
    content = bytearray(archive_of({"a": b"some content that is long enough"}))
    content[40] ^= 0xFF
    return bytes(content)


def nameless() -> bytes:
    return archive_of({"\u00fc": b"x"}).replace("\u00fc".encode(), b"\xff\xfe")


def unnamed() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        member = zipfile.ZipInfo("a")
        member.filename = ""
        archive.writestr(member, "x")
    return written.getvalue()


def nowhere() -> bytes:
    content = archive_of({"a": b"x"})
    start = content.index(b"PK\x01\x02")
    return content.replace(struct.pack("<L", start), struct.pack("<L", 0xFFFFFF00))


def squeezed(method: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.writestr("a", "x" * 1000)
    return written.getvalue()


async def test_an_archive_of_one_folder_is_refused(publish: Publisher) -> None:
    """Its pages would all be a folder deeper than intended; the message names the folder."""
    ended = await publish.site({"site/index.html": b"x", "site/a.css": b"y", "__MACOSX/site/._a.css": b"z"})

    assert ended["error"]["message"].startswith("The archive has no index.html at its top but one folder, site/")


async def test_an_archive_without_an_index_says_so(publish: Publisher) -> None:
    """Its files are published, and the result warns."""
    ended = await publish.site({"a.html": b"x", "guide/index.html": b"y"})

    assert (ended["status"], ended["result"]["files"]) == ("succeeded", 2)
    assert ended["result"]["warning"].startswith("The archive has no index.html at its top")


async def test_files_of_operating_systems_are_left_out(
    publish: Publisher, anybody: httpx.AsyncClient, organisation: Organisation
) -> None:
    """They are not part of a site."""
    extra = ["__MACOSX/._index.html", ".DS_Store", "guide/Thumbs.db", "guide/.DS_Store", "guide/._a.css", "Icon\r"]
    extra += ["Desktop.ini", "$RECYCLE.BIN/a.css", ".fseventsd/no_log", "guide/@eaDir/a.css/SYNO_THUMB.jpg"]

    ended = await publish.site({**SITE, **dict.fromkeys(extra, b"x")})

    assert ended["result"]["files"] == len(SITE)
    for path in map(quote, extra):
        assert (await anybody.get(f"/docs/{organisation.id}/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nameless(), "not a zip archive"),
        (nowhere(), "not a zip archive"),
        (unnamed(), "not a zip archive"),
        (squeezed(zipfile.ZIP_LZMA), "another method than Deflate"),
        (squeezed(zipfile.ZIP_BZIP2), "another method than Deflate"),
        (archive_of({f"{number:0500}": b"" for number in range(9000)}), "more than 10 files"),
        (b"", "not a zip archive"),
        (b"PK\x03\x04 nonsense", "not a zip archive"),
        (damaged(), "not a zip archive"),
        (archive_of({}), "has no files"),
        (archive_of({"folder/": b""}), "has no files"),
        (archive_of({"../up.html": b"x"}), "path that a site cannot have: '../up.html'"),
        (archive_of({"a/../../up.html": b"x"}), "path that a site cannot have"),
        (archive_of({"/etc/passwd": b"x"}), "path that a site cannot have"),
        (archive_of({"C:/x": b"x"}), "path that a site cannot have"),
        (archive_of({"a\\b": b"x"}), "path that a site cannot have"),
        (archive_of({"a//b": b"x"}), "path that a site cannot have"),
        (archive_of({"a\nb": b"x"}), "path that a site cannot have"),
        (archive_of({"x" * 600: b"x"}), "path that a site cannot have"),
        (linked(), "path that a site cannot have"),
        (twice(), "has 'a' twice"),
        (archive_of({"bomb": b"\0" * 200_000}), "unpacks to more than"),
        (archive_of({"1": b"\0" * 60_000, "2": b"\0" * 60_000}), "unpacks to more than"),
        (archive_of({str(number): b"" for number in range(12)}), "more than 10 files"),
    ],
)
async def test_an_invalid_archive_changes_nothing(
    content: bytes,
    message: str,
    publish: Publisher,
    front: Callable[[], Awaitable[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run fails and says why; the site stays as it was."""
    await publish.site(SITE)
    monkeypatch.setattr(docs_publish, "MAX_UNPACKED_BYTES", 100_000)
    monkeypatch.setattr(docs_publish, "MAX_FILES", 10)

    ended = await publish.archive(content)

    assert ended["status"] == "failed"
    assert message in ended["error"]["message"]
    assert await front() == SITE["index.html"]


async def test_an_archive_with_wrong_sizes_is_detected(publish: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes read count, not the declared size."""
    monkeypatch.setattr(docs_publish, "MAX_UNPACKED_BYTES", 100_000)
    content = archive_of({"bomb": b"\0" * 200_000})
    lie = content.replace((200_000).to_bytes(4, "little"), (20).to_bytes(4, "little"))

    ended = await publish.archive(lie)

    assert ended["status"] == "failed"
