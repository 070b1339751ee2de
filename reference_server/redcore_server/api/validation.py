"""Checks a request against its operation: query, headers and JSON body, the first fifty problems in one response.

Checks the schemas of the contract, not its business rules, which the handlers check. A problem repeats at most a few
characters of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from redcore_server.api.json_bounds import MAX_DEPTH, MAX_VALUES, has_few_values, is_shallow
from redcore_server.contract.schema_messages import first_of, issues, shortened
from redcore_server.contract.spec import Operation, Parameter, Rule
from redcore_server.errors import Detail, PayloadTooLarge, UnsupportedMediaType

MAX_BODY_BYTES: Final = 1024 * 1024  # the largest valid body, an application with twenty redirect URIs, has 40 KB
_MAX_QUERY_FIELDS: Final = 50  # no operation takes ten
_MAX_NAME: Final = 200  # of an unknown query parameter's name, in a problem
_THREAD_BYTES: Final = 64 * 1024  # a larger body is checked in a thread, so that it does not block other requests
_MAX_DIGITS: Final = 1000  # far more than any meaningful number, and cheap to parse
_BODY: Final = "body"
_BOOLEANS: Final = {"true": True, "false": False}

Headers = Mapping[bytes, bytes]


class Validation:
    """Checks one request; collects `problems`. Return values are valid only while it is empty."""

    def __init__(self, operation: Operation, *, max_limit: int) -> None:
        """Start with no problems.

        Args:
            operation: The requested operation.
            max_limit: Maximum to which a larger `limit` is clamped.
        """
        self.problems: list[Detail] = []
        self._operation = operation
        self._max_limit = max_limit

    def query(self, query_string: bytes) -> dict[str, Any]:
        """Return all query parameters of the operation, typed; absent ones have their default or None.

        Args:
            query_string: Query string as received.
        """
        given = self._given(query_string)
        known = self._operation.parameters["query"]
        for name in given.keys() - {parameter.name for parameter in known}:
            self._complain(shortened(name, _MAX_NAME), _unknown(parameter.name for parameter in known))
        return {parameter.name: self._value(parameter, given.get(parameter.name)) for parameter in known}

    def headers(self, headers: Headers) -> dict[str, Any]:
        """Return the headers that the operation accepts.

        Args:
            headers: All request headers, with lower-case names.
        """
        values: dict[str, Any] = {}
        for parameter in self._operation.parameters["header"]:
            raw = headers.get(parameter.name.lower().encode())
            values[parameter.name] = self._value(parameter, None if raw is None else raw.decode("latin-1"))
        return values

    async def body(self, headers: Headers, receive: Receive) -> Any:
        """Return the JSON body; an empty object for an operation without a body.

        Args:
            headers: All request headers, with lower-case names.
            receive: ASGI receive callable of the request.

        Raises:
            PayloadTooLarge: It is larger than 1 MiB.
            UnsupportedMediaType: It is not JSON in UTF-8.
            ClientDisconnect: The client disconnected before the end of the body.
        """
        rule = self._operation.body
        if rule is None:
            return {}
        raw = await _read(headers, receive)
        if not raw:
            self._complain(_BODY, "is required")
            return {}
        _require_json(headers)
        if len(raw) > _THREAD_BYTES:
            return await run_in_threadpool(self._json, raw, rule)
        return self._json(raw, rule)

    def _json(self, raw: bytes, rule: Rule) -> Any:
        if not has_few_values(raw):
            self._complain(_BODY, f"has more than {MAX_VALUES} values")
            return {}
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            self._complain(_BODY, f"is not valid JSON: {error}")
            return {}
        if is_shallow(value):
            self.problems.extend(first_of(chain(issues(rule, value, _BODY), _nuls(value, raw))))
        else:
            self._complain(_BODY, f"is nested deeper than {MAX_DEPTH} levels")
        return value

    def _given(self, query_string: bytes) -> dict[str, str]:
        if not query_string:
            return {}
        try:
            pairs = parse_qsl(
                query_string.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_QUERY_FIELDS,
            )
        except ValueError:  # not UTF-8, or too many parameters
            self._complain("query", f"must be at most {_MAX_QUERY_FIELDS} parameters in percent-encoded UTF-8")
            return {}
        given: dict[str, str] = {}
        for name, value in pairs:
            if name in given:
                self._complain(shortened(name, _MAX_NAME), "is given more than once")
            given[name] = value
        return given

    def _value(self, parameter: Parameter, text: str | None) -> object:
        if text is None:
            if parameter.is_required:
                self._complain(parameter.name, "is required")
            return parameter.default
        if "\0" in text:
            self._complain(parameter.name, _NO_NUL)
            return None
        value = _typed(parameter, text)
        if parameter.name == "limit" and isinstance(value, int):
            value = min(value, self._max_limit)  # contract section 3: clamped, never an error
        self.problems.extend(issues(parameter.rule, value, parameter.name))
        return value

    def _complain(self, field: str, issue: str) -> None:
        self.problems.append(Detail(field, issue))


_NO_NUL: Final = "must not contain the character U+0000"


def _unknown(known: Iterator[str]) -> str:
    names = ", ".join(known)
    return f"is not a parameter of this operation; it takes {names or 'none'}"


def _typed(parameter: Parameter, text: str) -> object:
    """Return the value that a text represents, or the text itself, which the schema then rejects."""
    if parameter.is_boolean:
        return _BOOLEANS.get(text, text)
    return _integer(text) if parameter.is_integer else text


def _integer(text: str) -> int | str:
    """Return the number that a text represents, or the text itself, which the schema then rejects."""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS
    return int(text) if is_number else text


async def _read(headers: Headers, receive: Receive) -> bytes:
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise PayloadTooLarge(MAX_BODY_BYTES)
    body, more = bytearray(), True  # one block that grows: many small ones scatter over the heap and stay there
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(MAX_BODY_BYTES)
        more = message.get("more_body", False)
    return bytes(body)


def require_plain(headers: Headers) -> None:
    """Reject a compressed body: its size is unknown until it is decompressed.

    Args:
        headers: All request headers, with lower-case names.

    Raises:
        UnsupportedMediaType: It has a `Content-Encoding`.
    """
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise UnsupportedMediaType("Send the body without a Content-Encoding.")


def _require_json(headers: Headers) -> None:
    require_plain(headers)
    media_type, *parameters = headers.get(b"content-type", b"").decode("latin-1").lower().split(";")
    charsets = {parameter.strip() for parameter in parameters if parameter.strip().startswith("charset=")}
    if media_type.strip() != "application/json" or charsets - {"charset=utf-8", 'charset="utf-8"'}:
        raise UnsupportedMediaType


def _nuls(value: object, raw: bytes, *path: str) -> Iterator[Detail]:
    """Yield a problem for each text that PostgreSQL cannot store."""
    if rb"\u0000" not in raw:
        return
    if isinstance(value, str) and "\0" in value:
        yield Detail(".".join(path) or _BODY, _NO_NUL)
    for name, child in _children(value):
        if "\0" in name:
            yield Detail(".".join(path) or _BODY, "has a field name with the character U+0000")
        else:
            yield from _nuls(child, raw, *path, name)


def _children(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).items()
    if isinstance(value, list):
        return ((str(index), item) for index, item in enumerate(cast("list[object]", value)))
    return ()
