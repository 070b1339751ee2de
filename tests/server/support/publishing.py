"""Documentation that is published as an application and the worker would."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import httpx

from redcore_server.worker.workflows import WorkflowRunner

SITE = {"index.html": b"<h1>One</h1>", "guide/index.html": b"<h1>Guide</h1>", "app.3f2a9c01.js": b"let x = 1"}


class Publisher:
    """Publishes as an application and the worker would."""

    def __init__(self, caller: httpx.AsyncClient, runner: WorkflowRunner) -> None:
        self._caller = caller
        self._runner = runner

    async def archive(self, content: bytes) -> dict[str, Any]:
        """Publish an archive; return the run when it has ended."""
        file = await self._caller.post("/v1/files", files={"file": ("site.zip", content)})
        return await self.run(file_id=file.json()["data"]["id"])

    async def site(self, files: dict[str, bytes]) -> dict[str, Any]:
        """Publish these files."""
        return await self.archive(archive_of(files))

    async def run(self, **given: Any) -> dict[str, Any]:
        """Run the workflow with an input."""
        started = await self._caller.post("/v1/workflows/docs_publish/runs", json={"input": given})
        run_id = started.json()["data"]["id"]
        await self._runner.run(run_id)
        ended: dict[str, Any] = (await self._caller.get(f"/v1/workflow-runs/{run_id}")).json()["data"]
        return ended


def archive_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return written.getvalue()
