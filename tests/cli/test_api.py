"""`redcore api`: requests that have no command of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

from redcore.testing import Fault, Lab


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "Give a method and a path"),
        (["GET", "/users", "/me"], "Give a method and a path"),
        (["FLY", "/users"], "'FLY' is not a method; it is one of GET, POST"),
        (["https://api.example.com/v1/users"], "PATH is relative to the address of the API"),
        (["/users", "-f", "role"], "A field is KEY=VALUE, which 'role' is not"),
        (["/users", "-f", "=admin"], "A field is KEY=VALUE"),
        (["/products", "-F", "price=dear"], "'price=dear': the value is not JSON; use -f for text"),
        (["/me", "-H", "X-Trace"], "A header is NAME:VALUE, which 'X-Trace' is not"),
        (["/me", "-H", ":7"], "A header is NAME:VALUE"),
        (["POST", "/users", "--input", "/nowhere"], "/nowhere cannot be read: No such file or directory"),
        (["POST", "/users", "--input", "-", "-f", "name=Ada"], "Give either fields or --input"),
        (["POST", "/users", "--paginate"], "--paginate is for GET"),
    ],
)
def test_bad_input_is_a_usage_error_and_sends_nothing(
    cli: Run, redcore_lab: Lab, words: list[str], expected: str
) -> None:
    """Exit code 2, nothing on stdout, one sentence."""
    outcome = cli("api", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert expected in " ".join(outcome.err.split())
    assert redcore_lab.requests() == []


def test_fields_are_the_query_of_a_get_and_the_body_of_everything_else(cli: Run, redcore_lab: Lab) -> None:
    """A value is typed with -F; without a method, fields make a POST."""
    made = cli("api", "/products", "-f", "name=Engine", "-f", "sku=E-1", "-F", "price=100", "--jq", ".id")
    listed = cli("api", "GET", "/products", "-f", "q=engine", "-H", "X-Trace: 7", "--jq", ".[].id")

    assert (made.code, listed.out) == (0, made.out)
    created, asked = redcore_lab.requests()
    assert (created.method, created.body) == ("POST", {"name": "Engine", "sku": "E-1", "price": 100})
    assert (asked.query, asked.headers["x-trace"]) == ({"q": "engine"}, "7")


@pytest.mark.parametrize("source", ["-", "file"])
def test_a_body_is_sent_as_it_is(cli: Run, redcore_lab: Lab, tmp_path: Path, source: str) -> None:
    """From stdin or a file; the method is POST."""
    body = '{"email": "ada@example.com",  "name": "Ada"}'
    (tmp_path / "file").write_text(body)
    outcome = cli("api", "/users", "--input", source if source == "-" else str(tmp_path / source), stdin=body)

    assert outcome.code == 0
    assert [(seen.method, seen.body) for seen in redcore_lab.requests()] == [("POST", json.loads(body))]


def test_answers_are_printed_by_type(cli: Run) -> None:
    """A listing as lines, an object as fields, bytes as they are, an empty answer as nothing."""
    file = cli("files", "upload", "-", "--name", "t.bin", "--json", "id", stdin=b"a\nb\n").json[0]["id"]

    assert cli("api", "/users").out.split("\t")[1] == "admin@example.com"
    assert "email\tadmin@example.com" in cli("api", "/v1/me").out.splitlines()
    assert cli("api", f"/files/{file}/content").out == "a\nb\n"
    assert (cli("api", "DELETE", f"/files/{file}").out, cli("api", "HEAD", "/me").out) == ("", "")


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ({"data": 7}, "7\n"),
        ({"data": []}, ""),
        ({"data": [1, "zwei"]}, '[1, "zwei"]\n'),
        ("plain", "plain"),
        ([{"n": 1}], "1\n"),
    ],
)
def test_an_answer_of_an_unusual_shape_is_printed(cli: Run, redcore_lab: Lab, body: Any, out: str) -> None:
    """Endpoints that the SDK does not know may return anything."""
    redcore_lab.inject("GET", "/v1/things", [Fault(status=200, body=body)])
    outcome = cli("api", "/things")

    assert (outcome.code, outcome.out) == (0, out)


def test_the_status_and_the_headers_are_printed_first(cli: Run) -> None:
    """With --include."""
    first, *rest = cli("api", "/me", "--include", "--jq", ".role").out.splitlines()

    assert first == "HTTP 200"
    assert any(line.lower().startswith("x-request-id: ") for line in rest)
    assert rest[-2:] == ["", "admin"]


def test_pages_of_a_server_without_cursors_are_fetched_by_offset(cli: Run, redcore_lab: Lab) -> None:
    """Until all counted items are there."""
    pages = [{"data": [{"n": 1}, {"n": 2}], "meta": {"total": 3}}, {"data": [{"n": 3}], "meta": {"total": 3}}]
    redcore_lab.inject("GET", "/v1/things", [Fault(status=200, body=page) for page in pages])
    outcome = cli("api", "/things", "--paginate", "--jq", ".[].n")

    assert outcome.out.split() == ["1", "2", "3"]
    assert [seen.query.get("offset") for seen in redcore_lab.requests()] == [None, "2"]


def test_any_json_can_be_filtered(cli: Run, redcore_lab: Lab) -> None:
    """Also values other than objects and listings of objects."""
    redcore_lab.inject("GET", "/v1/things", [Fault(status=200, body={"data": [1, "two"]})])

    assert cli("api", "/things", "--jq", ".[1]").out == "two\n"


@pytest.mark.parametrize("body", [{"data": {"n": 1}}, {"data": ["one"]}, [{"n": 1}], {}])
def test_paginate_needs_a_listing(cli: Run, redcore_lab: Lab, body: Any) -> None:
    """The error says that --paginate needs one."""
    redcore_lab.inject("GET", "/v1/things", [Fault(status=200, body=body)])
    outcome = cli("api", "/things", "--paginate")

    assert (outcome.code, outcome.out) == (1, "")
    assert "/things is not a listing" in outcome.err
