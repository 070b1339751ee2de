"""The declared scopes of each workflow match what its statements read and write."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any, Final

import httpx
import psycopg
import pytest
from tests.server.support.callers import rows

from redcore_server.contract import spec
from redcore_server.store import Stores
from redcore_server.worker.workflows import WorkflowRunner
from redcore_server.workflows import WORKFLOWS
from redcore_server.workflows.definition import Definition

pytestmark = pytest.mark.anyio

# Resources by the tables that hold them. Published files are public, and the run itself is its own.
RESOURCES: Final = {"products": "products", "users": "users", "invitations": "users", "files": "files"}
_WRITTEN: Final = re.compile(r"\b(?:insert into|update|delete from|copy)\s+([a-z_]+)")
_READ: Final = re.compile(r"\b(?:from|join)\s+([a-z_]+)")


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as files:
        files.writestr("index.html", b"x")
    return content.getvalue()


FILES: Final[dict[str, bytes]] = {
    "catalog_import": b"sku,name,price\nA,x,1\n",
    "user_import": b"email,name\ng@example.com,G\n",
    "docs_publish": archive(),
}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record every statement that is sent to PostgreSQL."""
    seen: list[str] = []
    for kind in (psycopg.AsyncCursor, psycopg.AsyncServerCursor):
        for name in ("execute", "copy"):
            original = getattr(kind, name)

            def recorded(self: Any, query: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
                seen.append(query.decode() if isinstance(query, bytes) else str(query))
                return _original(self, query, *args, **kwargs)

            monkeypatch.setattr(kind, name, recorded)
    return seen


def tables(pattern: re.Pattern[str], statements: list[str]) -> set[str]:
    text = "\n".join(re.sub(r"--.*", "", statement) for statement in statements)
    # The platform itself looks up the owner of a run, to see whether the run may continue.
    text = re.sub(r"\(select role from users where users\.id = owner_id[^)]*\)", "", text)
    return set(pattern.findall(text)) & RESOURCES.keys()


@pytest.mark.parametrize("name", list(WORKFLOWS))
async def test_a_workflow_declares_the_scopes_of_its_statements(
    *, caller: httpx.AsyncClient, stores: Stores, runner: WorkflowRunner, statements: list[str], name: str
) -> None:
    """No scope is missing and none is superfluous; the scope to write a resource includes reading it in passing."""
    given: dict[str, Any] = {}
    if name in FILES:
        uploaded = await caller.post("/v1/files", files={"file": ("rows.csv", FILES[name])})
        given["file_id"] = uploaded.json()["data"]["id"]
    run = (await caller.post(f"/v1/workflows/{name}/runs", json={"input": given})).json()["data"]
    statements.clear()

    await runner.run(run["id"])

    done = list(statements)
    (ended,) = await rows(stores, "select status, error from workflow_runs where id = %s", run["id"])
    written = {RESOURCES[table] for table in tables(_WRITTEN, done)}
    read = {RESOURCES[table] for table in tables(_READ, done)} - written
    needed = {f"{resource}:write" for resource in written} | {f"{resource}:read" for resource in read}
    assert ended["status"] == "succeeded", ended
    assert set(WORKFLOWS[name].scopes) == needed


def test_a_definition_cannot_be_made_without_scopes() -> None:
    """Neither missing nor empty; and each one is a scope of the contract."""
    work = WORKFLOWS["catalog_export"].work
    with pytest.raises(TypeError):
        Definition(name="x", description="x", input_schema={}, work=work)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="scopes"):
        Definition(name="x", description="x", scopes=(), input_schema={}, work=work)

    assert all(spec.load().scopes.issuperset(definition.scopes) for definition in WORKFLOWS.values())
