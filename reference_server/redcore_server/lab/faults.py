"""Fault scripts: which request gets which fault."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import attrs
import orjson
from starlette.responses import Response

from redcore_server.contract.document import statuses
from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail, ValidationFailed
from redcore_server.http.render_error import envelope

_FLAG: Final = {"type": "boolean"}
_BODILESS: Final = frozenset({204, 205, 304})  # RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5
RULE: Final = Rule(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["path", "faults"],
        "properties": {
            "method": {"enum": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]},
            "path": {"type": "string", "minLength": 1},
            "faults": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "status": {"type": "integer", "minimum": 200, "maximum": 599},
                        "body": {},
                        "retry_after": {"type": ["integer", "string"], "pattern": "^[ -~]*$"},
                        "delay": {"type": "number", "minimum": 0},
                        "drop": _FLAG,
                        "truncate": _FLAG,
                        "pass": _FLAG,
                    },
                },
            },
        },
    },
    {},
)
"""Schema of `POST /lab/faults`."""


@attrs.frozen
class Fault:
    """The fault of one request."""

    answer: Response | None = None
    """Sent instead of the real response."""
    delay_s: float = 0
    is_dropped: bool = False
    is_truncated: bool = False


@attrs.frozen
class _Script:
    method: str | None
    path: str
    faults: deque[Fault]

    def matches(self, method: str, path: str) -> bool:
        return self.method in {None, method} and fnmatchcase(path, self.path)


class Faults:
    """The scripts of one server."""

    def __init__(self) -> None:
        self._scripts: list[_Script] = []

    def add(self, script: Mapping[str, Any]) -> None:
        """Add a script.

        Args:
            script: Script that is valid by `RULE`.

        Raises:
            ValidationFailed: A body cannot be sent.
        """
        faults = deque(_fault(number, fields) for number, fields in enumerate(script["faults"]))
        self._scripts.append(_Script(script.get("method"), script["path"], faults))

    def pending(self) -> list[dict[str, object]]:
        """Return the scripts with unused faults, and their number: a test may have misspelt a path."""
        return [{"method": script.method, "path": script.path, "left": len(script.faults)} for script in self._scripts]

    def clear(self) -> None:
        """Delete all scripts."""
        self._scripts.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the next fault of the first script that matches a request, or None.

        Args:
            method: HTTP method of the request.
            path: Path of the request.
        """
        for script in self._scripts:
            if script.matches(method, path):
                fault = script.faults.popleft()
                if not script.faults:
                    self._scripts.remove(script)
                return fault
        return None


def _fault(number: int, fields: Mapping[str, Any]) -> Fault:
    return Fault(
        answer=_answer(f"faults.{number}.body", fields) if "status" in fields else None,
        delay_s=fields.get("delay", 0),
        is_dropped=fields.get("drop", False),
        is_truncated=fields.get("truncate", False),
    )


def _answer(name: str, fields: Mapping[str, Any]) -> Response:
    status = int(fields["status"])  # 200.0 is a whole number too
    headers = {"Retry-After": str(fields["retry_after"])} if "retry_after" in fields else None
    body = fields.get("body")
    if status in _BODILESS:
        if "body" in fields:
            raise ValidationFailed(details=[Detail(name, f"an answer {status} has none")])
        return Response(None, status, headers)
    if isinstance(body, str):
        return Response(body, status, headers, "text/html")
    content = _json(name, body) if "body" in fields else _error_body(status, statuses().items())
    return Response(content, status, headers, "application/json")


def _json(name: str, body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise ValidationFailed(details=[Detail(name, f"cannot be sent: {error}")]) from error


def _error_body(status: int, codes: Iterable[tuple[str, int]]) -> bytes:
    code = next((code for code, its_status in codes if its_status == status), "INTERNAL_ERROR")
    return b"" if status < 400 else envelope(code, f"The lab was asked for a {status}.")
