"""Files, through the gateway on real stores: the same tests for objects in a folder and in an S3 store."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection, OperationalError
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Organisation, make_organisation

from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.objects import open_objects
from redcore_server.worker.objects import DELETION, ObjectCollector

pytestmark = pytest.mark.anyio

TEXT = b"to be stored\n" * 100
BOUNDARY = "frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
def settings(kept: dict[str, Any]) -> Settings:
    return Settings(**kept, max_file_bytes=200_000, storage_bytes=300_000)


async def objects_in(settings: Settings) -> list[str]:
    """Return the keys of the objects in the store."""
    later = datetime.now(UTC) + timedelta(days=1)
    return [key async for batch in open_objects(settings).older_than("files", later) for key in batch]


async def upload(caller: httpx.AsyncClient, content: bytes = TEXT, **more: Any) -> dict[str, Any]:
    response = await caller.post("/v1/files", files={"file": ("notes.txt", content, "text/plain")}, **more)
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


def part(disposition: str, content: bytes = b"x", *, end: bool = True) -> bytes:
    closing = b"--%b--\r\n" % BOUNDARY.encode() if end else b""
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    return head + content + b"\r\n" + closing


async def test_a_file_is_uploaded_described_and_downloaded(caller: httpx.AsyncClient) -> None:
    """201 with Location, size and checksum; the bytes are returned unchanged."""
    response = await caller.post("/v1/files", files={"file": ("notes.txt", TEXT, "text/plain")})

    file = response.json()["data"]
    assert (response.status_code, response.headers["Location"]) == (201, f"/v1/files/{file['id']}")
    assert file == {
        "id": file["id"],
        "name": "notes.txt",
        "content_type": "text/plain",
        "size": len(TEXT),
        "sha256": hashlib.sha256(TEXT).hexdigest(),
        "created_at": file["created_at"],
    }
    assert (await caller.get(f"/v1/files/{file['id']}")).json()["data"] == file
    content = await caller.get(f"/v1/files/{file['id']}/content")
    assert (content.status_code, content.content) == (200, TEXT)
    assert content.headers["Content-Type"] == "text/plain"
    assert content.headers["ETag"] == f'"{file["sha256"]}"'
    assert content.headers["Content-Disposition"] == "attachment; filename*=UTF-8''notes.txt"


@pytest.mark.parametrize("content", [b"", b"1", bytes(range(256)) * 700])
async def test_any_bytes_survive(caller: httpx.AsyncClient, content: bytes) -> None:
    """Also an empty file, and bytes that look like line ends."""
    file = await upload(caller, content)

    assert file["size"] == len(content)
    assert (await caller.get(f"/v1/files/{file['id']}/content")).content == content


async def test_a_range_is_downloaded(caller: httpx.AsyncClient) -> None:
    """`Range` gives 206, a range behind the end 416, a matching validator 304."""
    file = await upload(caller)
    path = f"/v1/files/{file['id']}/content"

    some = await caller.get(path, headers={"Range": "bytes=3-12"})
    none = await caller.get(path, headers={"Range": f"bytes={len(TEXT)}-"})
    same = await caller.get(path, headers={"If-None-Match": f'"{file["sha256"]}"'})

    assert (some.status_code, some.content) == (206, TEXT[3:13])
    assert some.headers["Content-Range"] == f"bytes 3-12/{len(TEXT)}"
    assert (none.status_code, none.headers["Content-Range"]) == (416, f"bytes */{len(TEXT)}")
    assert none.json()["error"] == {
        "code": "RANGE_NOT_SATISFIABLE",
        "message": f"The file has {len(TEXT)} bytes, and none of them is in this range.",
        "docs": "https://docs.blueround.com/api/errors#RANGE_NOT_SATISFIABLE",
        "details": [],
    }
    assert (none.headers["ETag"], none.headers["Accept-Ranges"]) == (f'"{file["sha256"]}"', "bytes")
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", f'"{file["sha256"]}"')


async def test_a_failed_if_match_is_a_412(caller: httpx.AsyncClient) -> None:
    """Conditions may come in several lines, which form one list (RFC 9110 section 5.3)."""
    file = await upload(caller)
    path, etag = f"/v1/files/{file['id']}/content", f'"{file["sha256"]}"'

    other = await caller.get(path, headers={"If-Match": '"other"'})
    listed = await caller.get(path, headers=[("If-Match", etag), ("If-Match", '"other"')])

    assert (other.status_code, other.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert (listed.status_code, listed.content) == (200, TEXT)


async def test_the_form_names_the_file(caller: httpx.AsyncClient) -> None:
    """The field `name` wins, before or after the file; of a path only the last part is used."""
    named = await upload(caller, data={"name": "Überblick.txt"})
    pathed = await caller.post("/v1/files", files={"file": ("C:\\dir\\notes.txt", TEXT)})
    after = part('form-data; name="file"', end=False) + part('form-data; name="name"', b"late.txt")
    late = await caller.post("/v1/files", content=after, headers=FORM)

    assert named["name"] == "Überblick.txt"
    assert pathed.json()["data"]["name"] == "notes.txt"
    assert (late.json()["data"]["name"], late.json()["data"]["content_type"]) == (
        "late.txt",
        "application/octet-stream",
    )


@pytest.mark.parametrize(
    ("sent", "name"),
    [("a%22b.txt", 'a"b.txt'), ("100%25.txt", "100%25.txt"), ("a%2Fb%0", "a%2Fb%0"), ("a%2522b", "a%2522b")],
)
async def test_a_filename_is_read_as_browsers_write_it(caller: httpx.AsyncClient, sent: str, name: str) -> None:
    """Only a quote and line ends are percent-encoded (HTML section 4.10.22.8)."""
    body = part(f'form-data; name="file"; filename="{sent}"')

    stored = await caller.post("/v1/files", content=body, headers=FORM)

    assert stored.json()["data"]["name"] == name


@pytest.mark.parametrize("content_type", ["text/csv", "text/html; charset=iso-8859-1", "text/plain;charset=utf-8"])
async def test_the_content_type_is_returned_as_given(caller: httpx.AsyncClient, content_type: str) -> None:
    """Only the author of a text knows its encoding."""
    stored = (await caller.post("/v1/files", files={"file": ("a", TEXT, content_type)})).json()["data"]
    path = f"/v1/files/{stored['id']}/content"

    whole = await caller.get(path)
    some = await caller.get(path, headers={"Range": "bytes=0-1"})

    assert stored["content_type"] == content_type
    assert (whole.headers["Content-Type"], some.headers["Content-Type"]) == (content_type, content_type)


@pytest.mark.parametrize(
    ("body", "field", "issue"),
    [
        (b"", "body", "ends too early"),
        (b"nonsense", "body", "is not valid"),
        (part('form-data; name="file"', end=False), "body", "ends too early"),
        (part('form-data; name="name"'), "file", "is required"),
        (part('form-data; name="file"', end=False) + part('form-data; name="file"'), "file", "more than once"),
        (part('form-data; name="other"'), "other", "is not a field of this form"),
        (part("form-data"), "body", "is not a field of this form"),
        (part('form-data; name="file"; filename="a\0b"'), "name", "control characters"),
        (part('form-data; name="file"; filename="a%0D%0Ab"'), "name", "control characters"),
        (part('form-data; name="file"; filename=" "'), "name", "blank"),
        (part('form-data; name="file"; filename="%b"'.replace("%b", "x" * 256)), "name", "at most 255"),
        (part('form-data; name="file"', end=False) + part('form-data; name="name"', b""), "name", "must not be empty"),
        (part('form-data; name="file"', end=False) + part('form-data; name="name"', b"\xff"), "name", "UTF-8"),
        (
            part('form-data; name="file"', end=False) + part('form-data; name="name"', b"x" * 5000),
            "name",
            "at most 255",
        ),
    ],
)
async def test_a_bad_form_is_refused_and_leaves_nothing(
    body: bytes, field: str, issue: str, caller: httpx.AsyncClient, settings: Settings
) -> None:
    """400 names the field and the issue; no row, no object."""
    response = await caller.post("/v1/files", content=body, headers=FORM)

    (detail,) = response.json()["error"]["details"]
    assert (response.status_code, detail["field"]) == (400, field)
    assert issue in detail["issue"]
    assert (await caller.get("/v1/files")).json()["meta"]["total"] == 0
    assert await objects_in(settings) == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("text/plain", 415),
        ("multipart/form-data", 400),
        (f"multipart/form-data; boundary={'x' * 300}", 400),
    ],
)
async def test_another_type_of_body_is_refused(content_type: str, status: int, caller: httpx.AsyncClient) -> None:
    """415 for a body that is not a form, 400 for a form without a valid boundary."""
    response = await caller.post("/v1/files", content=b"{}", headers={"Content-Type": content_type})

    assert response.status_code == status


async def test_a_file_that_is_too_large_is_refused(caller: httpx.AsyncClient, settings: Settings) -> None:
    """413, whether the client declares the length or the bytes exceed it."""

    async def pieces() -> AsyncIterator[bytes]:
        yield part('form-data; name="file"', b"", end=False)[:-2]
        for _ in range(300):
            yield b"x" * 1024

    declared = await caller.post("/v1/files", files={"file": b"x" * 300_000})
    found = await caller.post("/v1/files", content=pieces(), headers=FORM)

    assert (declared.status_code, declared.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert found.status_code == 413
    assert await objects_in(settings) == []


async def test_storage_of_an_organisation_is_limited(caller: httpx.AsyncClient, settings: Settings) -> None:
    """422 when storage is full; deleting frees it."""
    first = await upload(caller, b"x" * 180_000)

    full = await caller.post("/v1/files", files={"file": b"x" * 150_000})
    assert (full.status_code, full.json()["error"]["code"]) == (422, "BUSINESS_RULE_VIOLATION")
    assert len(await objects_in(settings)) == 1
    await caller.delete(f"/v1/files/{first['id']}")
    await upload(caller, b"x" * 150_000)


async def test_a_retried_upload_is_one_file(caller: httpx.AsyncClient, settings: Settings) -> None:
    """The same key and file replay the answer and store nothing; the same key with another file is refused."""
    key = {"Idempotency-Key": "once"}
    first = await upload(caller, headers=key)

    again = await caller.post("/v1/files", files={"file": ("notes.txt", TEXT, "text/plain")}, headers=key)
    other = await caller.post("/v1/files", files={"file": ("notes.txt", b"other", "text/plain")}, headers=key)

    assert (again.json()["data"], again.headers["Idempotent-Replayed"]) == (first, "true")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(await objects_in(settings)) == 1


async def test_a_commit_whose_answer_is_lost_loses_no_bytes(
    caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is asked to try again, but the file may exist: then it is complete."""
    transaction = AsyncConnection.transaction

    @contextlib.asynccontextmanager
    async def answerless(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
        async with transaction(connection):
            yield
        raise OperationalError("the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(AsyncConnection, "transaction", answerless)
        lost = await caller.post("/v1/files", files={"file": ("notes.txt", TEXT, "text/plain")})

    (file,) = (await caller.get("/v1/files")).json()["data"]
    assert lost.status_code == 503
    assert (await caller.get(f"/v1/files/{file['id']}/content")).content == TEXT


async def test_a_deleted_file_is_gone(caller: httpx.AsyncClient, stores: Stores) -> None:
    """204; then 404 everywhere, and a job deletes the bytes once no restored database can need them."""
    file = await upload(caller)

    deleted = await caller.delete(f"/v1/files/{file['id']}")

    assert deleted.status_code == 204
    for path in ("", "/content"):
        assert (await caller.get(f"/v1/files/{file['id']}{path}")).status_code == 404
    assert (await caller.delete(f"/v1/files/{file['id']}")).status_code == 404
    (job,) = await rows(
        stores,
        "select args, scheduled_at > now() + interval '29 days' as is_late from procrastinate_jobs"
        " where task_name = %s and args->>'key' like %s",
        DELETION,
        f"%{file['id']}",
    )
    assert job["args"]["key"].endswith(file["id"])
    assert job["is_late"]


async def test_another_organisation_sees_nothing(
    caller: httpx.AsyncClient, callers: Callers, stores: Stores, clock: Clock
) -> None:
    """404 for reading, downloading and deleting, and the file still exists."""
    file = await upload(caller)
    other = await callers.of(await make_organisation(stores, clock))

    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (await other.request(method, f"/v1/files/{file['id']}{path}")).status_code == 404
    assert (await other.get("/v1/files")).json()["meta"]["total"] == 0
    assert (await caller.get(f"/v1/files/{file['id']}/content")).content == TEXT


async def test_orphans_are_collected(
    caller: httpx.AsyncClient, stores: Stores, clock: Clock, settings: Settings, organisation: Organisation
) -> None:
    """Bytes without a row are deleted when they are hours old; others stay."""
    file = await upload(caller)
    objects = open_objects(settings)

    async def orphan() -> AsyncIterator[bytes]:
        yield b"lost"

    await objects.put(f"files/{organisation.id}/file_lost", orphan())
    collector = ObjectCollector(postgres=stores.postgres, objects=objects, clock=clock)
    await collector.collect(0)
    assert len(await objects_in(settings)) == 2
    clock.advance(3 * 3600)
    await collector.collect(0)

    assert [key.rpartition("/")[2] for key in await objects_in(settings)] == [file["id"]]


async def test_the_bytes_of_a_deleted_file_are_kept_for_their_time(
    caller: httpx.AsyncClient, stores: Stores, clock: Clock, settings: Settings
) -> None:
    """The collector leaves them to the job that will delete them."""
    file = await upload(caller)
    await caller.delete(f"/v1/files/{file['id']}")
    clock.advance(3 * 3600)

    await ObjectCollector(postgres=stores.postgres, objects=open_objects(settings), clock=clock).collect(0)

    assert [key.rpartition("/")[2] for key in await objects_in(settings)] == [file["id"]]


async def test_lost_bytes_are_a_404(caller: httpx.AsyncClient, settings: Settings) -> None:
    """After the database was restored to a time when the file existed; a retry would not help."""
    file = await upload(caller)
    for key in await objects_in(settings):
        await open_objects(settings).delete(key)

    lost = await caller.get(f"/v1/files/{file['id']}/content")

    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


async def test_an_empty_file_still_has_its_media_type(caller: httpx.AsyncClient) -> None:
    """Other empty answers have none."""
    made = await caller.post("/v1/files", files={"file": ("a.csv", b"", "text/csv")})
    file_id = made.json()["data"]["id"]

    content = await caller.get(f"/v1/files/{file_id}/content")

    assert (content.status_code, content.content, content.headers["Content-Type"]) == (200, b"", "text/csv")
