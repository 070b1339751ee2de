"""The cost of a request is bounded: problems are counted, lists measured, quotations cut, forms read in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.support.processor import cpu_within

from redcore_server.api.json_bounds import MAX_VALUES, has_few_values
from redcore_server.api.multipart import Multipart
from redcore_server.api.uploads import Uploads
from redcore_server.api.validation import MAX_BODY_BYTES, Validation
from redcore_server.contract import spec
from redcore_server.contract.document import document
from redcore_server.contract.schema_messages import MAX_PROBLEMS, first_of, issues
from redcore_server.errors import Detail, UnsupportedMediaType, ValidationFailed

pytestmark = pytest.mark.anyio

CONTRACT = spec.load()
CPU_S_PER_MB = 0.3  # most of what is measured costs a tenth
SMALL_MB = 0.05  # a smaller request may cost as much as this: each request has a base cost
JSON = {b"content-type": b"application/json"}


def _column(levels: int) -> Any:
    """A list in a list in a list."""
    return [] if levels == 1 else [_column(levels - 1)]


WORST: dict[str, tuple[str, Callable[[], Any]]] = {  # made for their tests only: they are large
    "numbers": ("api_keys_create", lambda: {"name": "a", "scopes": [1] * 500_000}),
    "different numbers": ("api_keys_create", lambda: {"name": "a", "scopes": list(range(150_000))}),
    "objects": ("api_keys_create", lambda: {"name": "a", "scopes": [{"a": n} for n in range(60_000)]}),
    "lists": ("applications_create", lambda: {"name": "a", "scopes": ["admin"], "redirect_uris": [[1]] * 200_000}),
    "fields": ("users_create", lambda: {f"k{n}": 1 for n in range(90_000)}),
    "fields, few": ("users_create", lambda: {f"k{n}": 1 for n in range(990)}),
    "empty lists": ("workflows_run", lambda: {"input": {"a": [[]] * 340_000}}),
    "empty objects": ("users_create", lambda: [{}] * 340_000),
    "empty texts": ("users_create", lambda: [""] * 340_000),
    "columns": ("workflows_run", lambda: {"input": {"a": [_column(60)] * 8_000}}),
    "commas": ("users_create", lambda: {"email": "," * 1_000_000, "name": "b"}),
    "a long field": ("users_create", lambda: {"k" * 1_000_000: 1}),
    "a long text": ("users_create", lambda: {"email": "a" * 1_000_000, "name": "b"}),
    "nested": ("workflows_run", lambda: {"input": {f"k{n}": [[]] for n in range(70_000)}}),
    "one NUL": ("workflows_run", lambda: {"input": {"a": "\0", "b": [{}] * 330_000}}),
    "NUL": ("workflows_run", lambda: {"input": {f"k{n}": "\0" for n in range(55_000)}}),
}


def body_of(content: bytes) -> Any:
    """Make a `receive` with one body."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


@pytest.mark.parametrize("kind", WORST)
async def test_the_worst_body_is_cheap_and_its_answer_short(kind: str) -> None:
    """CPU in proportion to the size; at most fifty problems, and one that says there are more."""
    operation, value = WORST[kind]
    content = orjson.dumps(value())
    assert len(content) <= MAX_BODY_BYTES
    validation = Validation(CONTRACT.operations[operation], max_limit=100)
    await validation.body(JSON, body_of(b"{}"))  # the schema is compiled once, not for each request
    validation.problems.clear()

    with cpu_within(CPU_S_PER_MB * max(len(content) / 1_000_000, SMALL_MB)):
        await validation.body(JSON, body_of(content))

    assert len(validation.problems) <= MAX_PROBLEMS + 1
    assert len(orjson.dumps([[detail.field, detail.issue] for detail in validation.problems])) < 64 * 1024


def test_many_problems_end_with_one_that_says_so() -> None:
    """The corrected request is checked again anyway."""
    problems = first_of(Detail(str(number), "is wrong") for number in range(1000))

    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == Detail("request", "has more problems; these are the first 50")
    assert len(first_of(problems[:MAX_PROBLEMS])) == MAX_PROBLEMS


def test_a_list_that_is_too_long_is_the_only_problem() -> None:
    """Its length is checked before its entries."""
    rule = CONTRACT.operations["api_keys_create"].body
    assert rule is not None

    assert list(issues(rule, {"scopes": ["x"] * 51}, "body")) == [Detail("scopes", "must have at most 50 entries")]


def _lists(schema: Any, path: str) -> list[str]:
    found = [] if schema.get("type") != "array" or "maxItems" in schema else [path]
    return found + [entry for name, part in schema.get("properties", {}).items() for entry in _lists(part, name)]


def test_each_list_of_a_request_has_a_maximum_length() -> None:
    """Lists of forms and of JSON; one without a maximum is limited to a thousand entries."""
    schemas = document()["components"]["schemas"]
    requests = [name for name in schemas if name.endswith(("Create", "Update", "Request", "Upload"))]

    assert [path for name in requests for path in _lists(schemas[name], name)] == []


async def test_a_compressed_form_is_refused_as_compressed_json_is(tmp_path: Any) -> None:
    """415 before a byte is read."""
    headers = {b"content-type": b"multipart/form-data; boundary=b", b"content-encoding": b"gzip"}
    uploads = Uploads(objects=tmp_path, max_file_bytes=1)

    with pytest.raises(UnsupportedMediaType, match="Content-Encoding"):
        async with uploads.received("org_1", 1, headers, body_of(b"")):
            pass


PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nX\r\n--b--\r\n'


async def _read(body: bytes, step: int) -> list[tuple[str, bytes]]:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    form = Multipart({b"content-type": b"multipart/form-data; boundary=b"}, pieces())
    return [(part.name, b"".join([data async for data in form.data()])) async for part in form.parts()]


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    "body",
    [
        PART,
        b"This is a message in several parts.\r\n" + PART,
        b"\r\n\r\n" + PART,
        b"--bogus\r\n" + PART,
        PART.replace(b"--b\r\n", b"--b \t\r\n"),
        PART.replace(b"--b--\r\n", b"--b-- \r\n"),
        PART[:-2],
        PART + b"epilogue",
    ],
    ids=["plain", "preamble", "lines", "other", "padding", "padded-end", "no-line-end", "epilogue"],
)
async def test_preamble_and_epilogue_of_a_form_are_ignored(body: bytes, step: int) -> None:
    """RFC 2046 section 5.1.1: a preamble, an epilogue, blanks behind a boundary."""
    assert await _read(body, step) == [("file", b"X")]


@pytest.mark.parametrize("preamble", [b"x", b"\r\n--", b"--b" + b" " * 200], ids=["line", "lines", "blanks"])
async def test_a_preamble_costs_the_same_in_pieces_of_any_size(preamble: bytes) -> None:
    """Each piece is searched with at most a boundary's length before it, not with everything received."""
    body = (preamble * 60_000)[:60_000]
    limit_s = CPU_S_PER_MB * len(body) * len(b"1\r\nx\r\n") / 1_000_000 * 4

    with cpu_within(limit_s), pytest.raises(ValidationFailed):
        await _read(body, 1)


async def test_a_preamble_is_bounded() -> None:
    """It is buffered until the first boundary is found."""
    with pytest.raises(ValidationFailed):
        await _read(b"x" * 200_000, 10_000)


@given(
    st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=30),
    st.integers(60, 68),
)
async def test_depth_is_counted_exactly(value: Any, levels: int) -> None:
    """64 levels pass, 65 do not, whatever their content."""
    for _ in range(levels):
        value = [value]
    depth = 0
    deepest = [value]
    while any(isinstance(entry, list) for entry in deepest):
        depth += 1
        deepest = [part for entry in deepest if isinstance(entry, list) for part in entry]
    validation = Validation(CONTRACT.operations["workflows_run"], max_limit=100)

    await validation.body(JSON, body_of(orjson.dumps({"input": {"a": value}})))

    is_deep = [problem.issue for problem in validation.problems] == ["is nested deeper than 64 levels"]
    assert is_deep == (depth + 2 > 64)


@pytest.mark.parametrize("noise", [b'"a,b[c{d"', b'"\\"[\\\\"', rb'"\\\",[{"'])
def test_a_text_counts_as_one_value(noise: bytes) -> None:
    """Commas and brackets count outside texts only, whatever is escaped in them."""
    values = b"[" + b",".join([noise] * (MAX_VALUES - 1)) + b"]"

    assert has_few_values(values)
    assert not has_few_values(values[:-1] + b",1,2]")


@settings(max_examples=40)
@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_values_are_counted_exactly_except_empty_ones(value: Any) -> None:
    """An empty list counts as a list with one entry; nothing counts less than its size."""
    raw = orjson.dumps([value] * 400)

    assert has_few_values(raw) == (400 * _count(value) + 1 <= MAX_VALUES)


def _count(value: Any) -> int:
    parts = list(value.values()) if isinstance(value, dict) else value
    return 1 + (max(sum(map(_count, parts)), 1) if isinstance(parts, list) else 0)


async def test_the_number_of_parts_is_bounded() -> None:
    """However many arrive at once, no more are parsed."""
    with pytest.raises(ValidationFailed) as caught:
        await _read(b"--b\r\n\r\n\r\n" * 1000, 100_000)

    assert caught.value.details == (Detail("body", "has more than 20 parts"),)
