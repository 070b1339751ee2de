"""Clients that unmodified generators make from the spec make every call; `nox -s contract` installs the generators."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.contract.test_npm_client import PACKAGES

from redcore.testing import Lab, ReferenceServer

pytestmark = pytest.mark.npm
SPEC = Path(__file__).parents[2] / "openapi" / "redcore.yaml"
NODE = Path(__file__).with_name("node")


def quietly(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a generator; it must succeed without warnings. Return its output."""
    done = subprocess.run(  # noqa: S603 (the generators, and our own scripts)
        words, capture_output=True, text=True, check=False, timeout=240, cwd=cwd, env={**os.environ, **(env or {})}
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "warn" not in printed.lower(), printed
    return printed


class Generated:
    """The package that openapi-python-client made, and a client of it."""

    def __init__(self, name: str, server: ReferenceServer) -> None:
        self._name = name
        self.models = importlib.import_module(f"{name}.models")
        self.types = importlib.import_module(f"{name}.types")
        module = importlib.import_module(f"{name}.client")
        self._client = module.AuthenticatedClient(base_url=server.origin, token=server.api_key["api_key"])

    def close(self) -> None:
        """Close its connections."""
        self._client.get_httpx_client().close()

    def call(self, operation: str, *arguments: str, **options: Any) -> Any:
        """Make a call; it must succeed, with the typed answer."""
        tag = next(tag for tag in ("api_keys", "applications", "files", "products", "users", "workflows", "auth")
                   if operation.startswith(tag))  # fmt: skip
        module = importlib.import_module(f"{self._name}.api.{tag}.{operation}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a warning about its own use of httpx
            answer = module.sync_detailed(*arguments, client=self._client, **options)
        assert 200 <= answer.status_code < 300, (operation, answer)
        return answer.parsed


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redcore_server: ReferenceServer) -> Iterator[Generated]:
    name = "generated_by_openapi_python_client"
    output = ["--meta", "none", "--output-path", str(tmp_path / name), "--fail-on-warning"]
    ruff = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # the formatter it runs
    program = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(SPEC), *output]
    quietly(*program, cwd=tmp_path, env=ruff)
    monkeypatch.syspath_prepend(tmp_path)
    made = Generated(name, redcore_server)
    yield made
    made.close()


def test_openapi_python_client_makes_every_call(generated: Generated, redcore_lab: Lab) -> None:
    """Unmodified, without settings; the download is its bytes."""
    models, call = generated.models, generated.call

    me = call("users_get_me")
    call("users_update_me", body=models.MeUpdate(name=me.data.name))
    call("users_list", role=models.UserRole("admin"))
    user = call("users_create", body=models.UserCreate(email="made@example.com", name="Made")).data
    assert call("users_get", user.id).data.email == "made@example.com"
    call("users_update", user.id, body=models.UserUpdate(name="Other"))
    call("users_resend_invitation", user.id)
    call("users_delete", user.id)

    product = call("products_create", body=models.ProductCreate(name="Made", sku="made-1", price=1, stock=1)).data
    call("products_list", q="made")
    call("products_get", product.id)
    assert call("products_update", product.id, body=models.ProductUpdate(price=2)).data.price == 2
    call("products_delete", product.id)

    sent = generated.types.File(payload=b"\0bytes", file_name="made.bin", mime_type="application/x-made")
    file = call("files_upload", body=models.FileUpload(file=sent)).data
    call("files_list")
    call("files_get", file.id)
    assert call("files_download", file.id).payload.read() == b"\0bytes"
    assert call("files_download", file.id, range_="bytes=1-2").payload.read() == b"by"
    call("files_delete", file.id)

    call("workflows_list")
    chosen = models.WorkflowRunCreateInput.from_dict({"format": "csv"})
    run = call("workflows_run", "catalog_export", body=models.WorkflowRunCreate(input_=chosen)).data
    call("workflows_list_runs")
    call("workflows_get_run", run.id)

    key = call("api_keys_create", body=models.ApiKeyCreate(name="Made", scopes=[models.Scope("users:read")])).data
    call("api_keys_list")
    call("api_keys_revoke", key.id)

    wanted = models.ApplicationCreate(name="Made", scopes=[models.Scope("users:read")])
    application = call("applications_create", body=wanted).data
    call("applications_list")
    call("applications_rotate_secret", application.id)
    call("applications_delete", application.id)
    assert call("auth_metadata").issuer
    assert call("auth_jwks").keys


def test_datamodel_codegen_makes_models_of_every_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redcore_server: ReferenceServer
) -> None:
    """Pydantic models that read the server's answers."""
    output = ["--output", "generated_models.py", "--output-model-type", "pydantic_v2.BaseModel"]
    program = [sys.executable, "-m", "datamodel_code_generator", "--input", str(SPEC), "--input-file-type", "openapi"]
    quietly(*program, *output, "--formatters", "ruff-format", cwd=tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    models = importlib.import_module("generated_models")

    headers = {"Authorization": f"Bearer {redcore_server.api_key['api_key']}"}
    with httpx.Client(base_url=redcore_server.base_url, headers=headers, trust_env=False) as http:
        for path, name in (("/users", "UserList"), ("/products", "ProductList"), ("/api-keys", "ApiKeyList"),
                           ("/applications", "ApplicationList"), ("/workflows", "WorkflowList"),
                           ("/workflow-runs", "WorkflowRunList"), ("/files", "FileList"), ("/me", "UserEnvelope"),
                           ("/users/usr_none", "ErrorEnvelope")):  # fmt: skip
            getattr(models, name).model_validate_json(http.get(path).content)


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the npm packages."""
    folder = os.environ.get(PACKAGES)
    assert folder, f"{PACKAGES} must name the folder of the npm packages: run `nox -s contract`"
    return Path(folder)


@pytest.fixture
def npm(tmp_path: Path, packages: Path) -> Path:
    """A folder in which files find the npm packages."""
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def tsc(folder: Path, *files: str) -> None:
    """Compile TypeScript, strictly."""
    how = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"]
    quietly("node", "node_modules/typescript/bin/tsc", *how, *files, cwd=folder)


def test_hey_api_makes_every_call(npm: Path, redcore_server: ReferenceServer, redcore_lab: Lab) -> None:
    """A typed client that compiles; the download is a blob."""
    (npm / "openapi-ts.config.mjs").write_text(
        f'export default {{ input: "{SPEC}", logs: {{ file: false }}, plugins: ["@hey-api/client-fetch", '
        '"@hey-api/sdk", "@hey-api/typescript"], output: { path: "hey", module: { extension: ".js" } } };'
    )
    quietly("node", "node_modules/@hey-api/openapi-ts/bin/run.js", cwd=npm)
    shutil.copy(NODE / "hey_api.mts", npm)
    tsc(npm, "hey_api.mts")

    quietly("node", "hey_api.mjs", cwd=npm, env={"ORIGIN": redcore_server.origin,
                                                 "KEY": redcore_server.api_key["api_key"]})  # fmt: skip


def test_openapi_typescript_types_every_call(npm: Path, redcore_server: ReferenceServer, redcore_lab: Lab) -> None:
    """With its types openapi-fetch compiles strictly and works, the download included."""
    quietly("node", "node_modules/openapi-typescript/bin/cli.js", str(SPEC), "-o", "schema.d.ts", cwd=npm)
    shutil.copy(NODE / "openapi_fetch.mts", npm)
    tsc(npm, "openapi_fetch.mts")

    quietly("node", "openapi_fetch.mjs", cwd=npm, env={"ORIGIN": redcore_server.origin,
                                                       "KEY": redcore_server.api_key["api_key"]})  # fmt: skip
