"""What is refused before a handler runs, and the messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp
from structlog.testing import capture_logs
from tests.server.support.callers import Callers
from tests.server.support.tenants import Organisation

from redcore_server.api.json_bounds import MAX_DEPTH, MAX_VALUES
from redcore_server.api.validation import MAX_BODY_BYTES, Validation
from redcore_server.contract import schema_messages, spec
from redcore_server.contract.spec import Operation, Parameter, Rule
from redcore_server.errors import Detail

pytestmark = pytest.mark.anyio

USERS_QUERY = "limit, offset, cursor, include_total, role, status, q"

JSON = {"Content-Type": "application/json"}


def problems(response: httpx.Response) -> list[tuple[str, str]]:
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    return [(detail["field"], detail["issue"]) for detail in response.json()["error"]["details"]]


async def test_every_problem_is_reported_at_once(caller: httpx.AsyncClient) -> None:
    """Missing, unknown and invalid fields in one answer, each by its name."""
    response = await caller.post(
        "/v1/users", json={"email": "ada", "role": "boss", "phone": 1}, headers={"Idempotency-Key": "a b"}
    )

    assert sorted(problems(response)) == [
        ("Idempotency-Key", "must match ^[\\x21-\\x7e]+$"),
        ("email", "'ada' is not an e-mail address"),
        ("name", "is required"),
        ("phone", "is not a field of this request"),
        ("role", "must be one of admin, editor, viewer"),
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"price": -1}, ("price", "must be at least 0")),
        ({"price": 1.5}, ("price", "must be a whole number")),
        ({"price": "1"}, ("price", "must be a whole number")),
        ({"price": True}, ("price", "must be a whole number")),
        ({"price": None}, ("price", "must be a whole number")),
        ({"stock": 2**31}, ("stock", "must be at most 2147483647")),
        ({"name": ""}, ("name", "must not be empty")),
        ({"name": "x" * 201}, ("name", "must have at most 200 characters")),
        ({"name": "a\0b"}, ("name", "must not contain the character U+0000")),
        ({"a\0b": 1}, ("body", "has a field name with the character U+0000")),
        ({"status": {}}, ("status", "must be one of available, out_of_stock, discontinued")),
    ],
)
async def test_a_bad_field_is_named(
    caller: httpx.AsyncClient, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    """With the valid form."""
    body = {"name": "x", "sku": "x", "price": 1, **fields}

    assert expected in problems(await caller.post("/v1/products", json=body))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", ("limit", "must be at least 1")),
        ("limit=ten", ("limit", "must be a whole number")),
        ("limit=", ("limit", "must be a whole number")),
        ("limit=1_0", ("limit", "must be a whole number")),
        ("limit=%D9%A1", ("limit", "must be a whole number")),
        ("limit=" + "9" * 5000, ("limit", "must be a whole number")),
        ("limit=1&limit=2", ("limit", "is given more than once")),
        ("offset=-1", ("offset", "must be at least 0")),
        ("offset=99999999999999999999", ("offset", "must be at most 2147483647")),
        ("q=", ("q", "must not be empty")),
        ("q=%00", ("q", "must not contain the character U+0000")),
        ("q=%ff", ("query", "must be at most 50 parameters in percent-encoded UTF-8")),
        ("&".join(f"a{n}=1" for n in range(51)), ("query", "must be at most 50 parameters in percent-encoded UTF-8")),
        ("role=boss", ("role", "must be one of admin, editor, viewer")),
        ("rolle=admin", ("rolle", f"is not a parameter of this operation; it takes {USERS_QUERY}")),
    ],
)  # fmt: skip
async def test_a_bad_query_is_named(caller: httpx.AsyncClient, query: str, expected: tuple[str, str]) -> None:
    """A misspelt name is an error too: ignoring it would list something else than requested."""
    assert problems(await caller.get(f"/v1/users?{query}")) == [expected]


async def test_an_unknown_query_parameter_is_refused(caller: httpx.AsyncClient) -> None:
    """An unknown parameter is refused."""
    response = await caller.get("/v1/me?limit=1")

    assert problems(response) == [("limit", "is not a parameter of this operation; it takes none")]


def nested(levels: int) -> bytes:
    return b'{"name":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("content", "field", "issue"),
    [
        (b"", "body", "is required"),
        (b"{", "body", "is not valid JSON: unexpected end of data: line 1 column 2 (char 1)"),
        (b'{"name": NaN}', "body", "is not valid JSON"),
        (b'{"name": 1e999}', "body", "is not valid JSON"),
        (b'{"name": "\xff"}', "body", "is not valid JSON"),
        (b'{"name": "\\ud800"}', "body", "is not valid JSON"),
        (b"\xef\xbb\xbf{}", "body", "is not valid JSON"),
        (b"[]", "body", "must be an object"),
        (b"null", "body", "must be an object"),
        (nested(MAX_DEPTH + 1), "body", "is nested deeper than 64 levels"),
        (nested(100_000), "body", "has more than 1000 values"),
        (b"[" * (MAX_VALUES - 1), "body", "is not valid JSON"),
        (nested(MAX_DEPTH), "name", "must be a text"),
        (b"[" + b"[]," * 100 + b"[]]", "body", "must be an object"),
    ],
)
async def test_a_body_that_is_not_a_json_object_is_refused(
    caller: httpx.AsyncClient, content: bytes, field: str, issue: str
) -> None:
    """Malformed, not UTF-8, numbers and texts outside Unicode and IEEE 754, too deep."""
    (found_field, found_issue), *_ = problems(await caller.patch("/v1/me", content=content, headers=JSON))

    assert (found_field, found_issue.startswith(issue)) == (field, True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_without_the_json_media_type_is_refused(
    caller: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """415, before it is read."""
    response = await caller.patch("/v1/me", content=b'{"name": "x"}', headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON ; charset=UTF-8"])
async def test_the_spelling_of_the_media_type_does_not_matter(caller: httpx.AsyncClient, content_type: str) -> None:
    """RFC 9110 section 8.3.1."""
    response = await caller.patch("/v1/me", content=b'{"name": "x"}', headers={"Content-Type": content_type})

    assert response.status_code == 200


async def test_a_large_body_is_refused_by_its_declared_length(caller: httpx.AsyncClient) -> None:
    """413 before a byte of it is read."""

    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    headers = {**JSON, "Content-Length": str(MAX_BODY_BYTES + 1)}
    response = await caller.patch("/v1/me", content=never_read(), headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert response.json()["error"]["message"] == "The body is larger than 1048576 bytes."


async def test_a_large_body_is_refused_while_it_is_received(caller: httpx.AsyncClient) -> None:
    """Without a declared length it is counted."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536

    response = await caller.patch("/v1/me", content=endless(), headers=JSON)

    assert response.status_code == 413


async def test_no_issue_repeats_a_long_value(caller: httpx.AsyncClient) -> None:
    """An answer is small even if the request was large."""
    response = await caller.post("/v1/users", json={"email": "x" * 100_000, "name": "x"})

    assert len(response.content) < 1000


async def test_a_client_that_disconnects_is_not_a_server_error(
    app: ASGIApp, callers: Callers, organisation: Organisation
) -> None:
    """The log has a line with status 499, and no exception."""
    key = await callers.key_for(organisation)
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": "/v1/me",
        "raw_path": b"/v1/me",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")],
    }
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_message: object) -> None: ...

    with capture_logs() as log:
        await app(scope, receive, send)

    assert [(entry["event"], entry["status"]) for entry in log] == [("request", 499)]


def test_a_required_parameter_is_missed() -> None:
    """Like a required field of a body."""
    rule = Rule({"type": "string"}, {})
    parameter = Parameter(
        name="code", location="query", is_required=True, is_integer=False, is_boolean=False, default=None, rule=rule
    )
    operation = Operation(
        id="x",
        method="GET",
        path="/x",
        scope="admin",
        parameters={"query": (parameter,), "header": ()},
        body=None,
        is_upload=False,
    )
    validation = Validation(operation, max_limit=100)

    validation.query(b"")

    assert validation.problems == [Detail("code", "is required")]


def _keywords(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema
        for value in schema.values():
            yield from _keywords(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)


def test_every_keyword_of_the_contract_has_a_message() -> None:
    """A problem without a message would be a 500."""
    contract = spec.load()
    operations = [operation for operation in contract.operations.values() if operation.scope]
    rules = [operation.body for operation in operations if operation.body]
    rules += [p.rule for operation in operations for group in operation.parameters.values() for p in group]
    schemas = contract.document["components"]["schemas"]
    used = {key for rule in rules for key in _keywords(_resolved(rule.schema, schemas))}
    silent = {"$ref", "additionalProperties", "default", "description", "example", "items", "properties", "required"}
    names = {name for schema in schemas.values() for name in schema.get("properties", {})}

    ours = {name for name in used if name.startswith("x-redcore-")}

    assert used - silent - names - ours - {"name", "type", "input"} <= schema_messages._WORDS.keys()


def test_the_patterns_with_messages_are_the_contracts() -> None:
    """Of every text in a JSON body; a regular expression is not a readable message."""
    contract = spec.load()
    schemas = contract.document["components"]["schemas"]
    bodies = [operation.body for operation in contract.operations.values() if operation.scope and operation.body]

    assert {
        p for body in bodies for p in _patterns(_resolved(body.schema, schemas))
    } == schema_messages._PATTERNS.keys()


def _patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from _patterns(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _patterns(item)


def _resolved(schema: Any, schemas: Any) -> Any:
    if isinstance(schema, dict):
        target = schema.get("$ref", "").rpartition("/")[2]
        merged = {**schemas[target], **schema} if target else schema
        return {key: _resolved(value, schemas) for key, value in merged.items() if key != "$ref"}
    if isinstance(schema, list):
        return [_resolved(item, schemas) for item in schema]
    return schema
