"""Each program of examples/ runs, or is driven as its framework drives it, and stays short enough to read."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from tests.docs.example_programs import EXAMPLES, load
from tests.docs.markdown_blocks import REPOSITORY

from redcore import RedcoreError
from redcore.testing import FakeTime, Fault, ReferenceServer
from redcore_server.data_folder import read_runtime

LONGEST = 80
MANY = 3000
ADD_USERS = """
insert into users (id, organisation_id, email, email_key, name, role, status, created_at, updated_at)
select
    'usr_' || gen_random_uuid(), organisation_id, number || '@example.com', number || '@example.com', 'User ' || number,
    'viewer', 'active', now() + number * interval '1 millisecond', now()
from users, generate_series(1, %(count)s) as number
where email_key = 'admin@example.com'
"""
PROGRAMS = {
    "quickstart": "ada@example.com editor pending_invite",
    "quickstart_async": "PART-9 100",
    "import_users": "created 1 refused 1",
    "export_catalog": '"sku":"ENG-1"',
    "tuned_retries": "admin@example.com",
    "own_token_cache": "admin@example.com",
    "proxy_and_private_ca": "admin@example.com",
}


@pytest.mark.parametrize(("name", "printed"), PROGRAMS.items(), ids=PROGRAMS)
def test_program_runs(name: str, printed: str, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It succeeds and prints its result."""
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert printed in capsys.readouterr().out


def test_walk_resumes_after_an_outage(
    reader: Path, redcore_server: ReferenceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of many pages, read eight at a time, each user is printed; the second start resumes at the checkpoint."""
    add_users(redcore_server, MANY)
    outage = [Fault(status=500, retry_after=0)] * 100  # more than six attempts of eight pages use up
    redcore_server.lab.inject("GET", "/v1/users", [*[Fault()] * 20, *outage])
    program = str(EXAMPLES / "walk_users.py")

    with FakeTime(), pytest.raises(RedcoreError):
        runpy.run_path(program, run_name="__main__")
    before = capsys.readouterr().out.splitlines()
    redcore_server.lab.clear_faults()
    runpy.run_path(program, run_name="__main__")
    *after, last = capsys.readouterr().out.splitlines()

    assert before
    assert len({*before, *after}) == len([*before, *after]) == MANY + 1
    assert last == f"walked to {MANY + 1}"


def add_users(server: ReferenceServer, count: int) -> None:
    """Add users to the organisation without the API, which would invite each of them."""
    stores = read_runtime(server.data)
    assert stores is not None
    assert stores.database_url is not None
    with psycopg.connect(stores.database_url, autocommit=True) as connection:
        connection.execute(ADD_USERS, {"count": count})


def test_opentelemetry_example_prints_spans(reader: Path) -> None:
    """A provider is set once per process, so it gets one of its own."""
    script = f"import runpy; runpy.run_path({str(EXAMPLES / 'opentelemetry_console.py')!r}, run_name='__main__')"
    assert '"name": "GET /v1/me"' in asyncio.run(_output(script, dict(os.environ)))


def test_fastapi_application_answers_objects_and_errors(reader: Path) -> None:
    """One client serves all requests, and a missing product is a 404 with its request id."""
    example = load("fastapi_app")

    async def drive() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=example.app)
        async with example.app.router.lifespan_context(example.app):
            made = await example.app.state.redcore.products.create(name="Engine", sku="ENG-1", price=100)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
                return await browser.get(f"/products/{made.id}"), await browser.get("/products/prod_none")

    found, missing = asyncio.run(drive())
    assert found.json()["sku"] == "ENG-1"
    assert missing.status_code == 404
    assert missing.json()["request_id"]


def test_fastapi_application_starts_a_login(reader: Path) -> None:
    """The login begins at the platform's own address."""
    example = load("fastapi_app")

    async def drive() -> httpx.Response:
        transport = httpx.ASGITransport(app=example.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
            return await browser.get("/login")

    assert urlsplit(asyncio.run(drive()).headers["Location"]).path == "/oauth/authorize"


def test_gunicorn_application_answers(reader: Path) -> None:
    """It is a WSGI application."""
    example = load("gunicorn_app")
    started: list[Any] = []
    body = example.app({}, lambda *args: started.append(args))
    example.client.close()
    assert started[0][0] == "200 OK"
    assert b"".join(body) == b"0 products\n"


def test_lambda_handler_answers_within_its_time(reader: Path) -> None:
    """A missing product is a 404 of the function."""
    example = load("lambda_handler")
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 10_000)
    answer = example.handler({"pathParameters": {"id": "prod_none"}}, context)
    example.client.close()
    assert answer["statusCode"] == 404


def test_celery_task_delivered_twice_creates_once(reader: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order's id is the idempotency key."""
    example = load("celery_tasks")
    order = {"order_id": "1", "name": "Engine", "sku": "ENG-1", "price": 100}
    first = example.add_product.apply(kwargs=order).get()
    again = example.add_product.apply(kwargs=order).get()
    example.client().close()
    assert first == again


def test_django_site_starts_a_login(reader: Path) -> None:
    """The request is kept in the person's session."""
    pytest_process = {**os.environ, "PYTHONPATH": str(EXAMPLES)}
    script = (
        "import django_login, django; django.setup(); from django.test import Client;"
        "c = Client(); a = c.get('/login'); print(a.status_code, a['Location'].partition('?')[0], 'login' in c.session)"
    )
    ended = asyncio.run(_output(script, pytest_process))
    assert ended.startswith(f"302 {os.environ['REDCORE_BASE_URL'].removesuffix('/v1')}/oauth/authorize True")


async def _output(script: str, environment: dict[str, str]) -> str:
    """Return the output of a program; Django is configured once per process, so it gets one of its own."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=pipe, env=environment)
    printed, _ = await child.communicate()
    return printed.decode()


def test_notebook_runs_from_top_to_bottom(reader: Path) -> None:
    """Its cells run in one coroutine, as in Jupyter."""
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    body = "\n".join(f"    {line}" for line in code.splitlines())
    namespace: dict[str, Any] = {}
    exec(f"async def cells():\n{body}\n    return rows\n", namespace)  # noqa: S102 (that is the test)
    assert [row["email"] for row in asyncio.run(namespace["cells"]())] == ["admin@example.com"]


def test_examples_stay_short() -> None:
    """An example fits on a screen, in folders too; the tour is a demonstration."""
    long = [
        path.name
        for path in EXAMPLES.rglob("*")
        if path.suffix in {".py", ".html", ".ipynb"}
        and path.name != "tour.py"
        and len(path.read_text(encoding="utf-8").splitlines()) >= LONGEST
    ]
    assert long == []


def test_every_example_is_run() -> None:
    """By this file, by its own suite, or in the browser: `nox -s browser`."""
    tried = "".join(
        (REPOSITORY / "tests" / name).read_text(encoding="utf-8")
        for name in ("docs/test_examples.py", "docs/test_logins_of_examples.py", "browser/test_pkce_example.py")
    )
    others = {"ruff.toml", "tour.py"}  # `nox -s demo` takes the tour
    names = [path for path in EXAMPLES.iterdir() if path.is_file() and path.name not in others]
    assert [path.name for path in names if path.stem not in tried] == []
