"""What openapi-core leaves unchecked in a request: credentials, unknown parameters, booleans, unexpected bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
from tests.spec import resolved

METHODS = {"get", "post", "put", "patch", "delete"}
SCHEMES = {"oauth2": "bearer", "apiKey": "bearer", "clientSecret": "basic"}
"""The HTTP authentication scheme of each security scheme."""
PART_NAME = re.compile(rb'^content-disposition: form-data; name="([^"]*)"', re.IGNORECASE | re.MULTILINE)


class Omissions:
    """Checks requests against a spec where openapi-core does not.

    Args:
        spec: The parsed spec.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._operations = [
            (method.upper(), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), described, item)
            for path, item in spec["paths"].items()
            for method, described in item.items()
            if method in METHODS
        ]

    def rule(self, request: httpx.Request) -> None:
        """Fail with all that is wrong with a request, whose body has been read."""
        path = request.url.raw_path.decode().partition("?")[0]
        for method, pattern, described, item in self._operations:
            if method == request.method and pattern.fullmatch(path):
                found = [*self._in_query(request, described, item), *self._in_body(request, described)]
                found += self._in_credentials(request, described)
                assert not found, f"{method} {path}: {'; '.join(found)}"
                return
        raise AssertionError(f"the spec has no {request.method} {path}")

    def _in_query(self, request: httpx.Request, described: dict[str, Any], item: dict[str, Any]) -> Iterator[str]:
        parameters = map(self._resolved, [*described.get("parameters", ()), *item.get("parameters", ())])
        schemas = {known["name"]: self._resolved(known["schema"]) for known in parameters if known["in"] == "query"}
        given = request.url.params.multi_items()
        for name, value in given:
            if name not in schemas:
                yield f"the query has {name}, which the spec does not"
            elif schemas[name].get("type") == "boolean" and value not in {"true", "false"}:
                yield f"{name} is {value!r}, which is not a boolean"
        if len(given) != len(dict(given)):
            yield "the query repeats a parameter"

    def _in_body(self, request: httpx.Request, described: dict[str, Any]) -> Iterator[str]:
        content = self._resolved(described.get("requestBody", {})).get("content")
        if content is None and request.content:
            yield "there is a body, which the spec does not have"
        if "content-type" in request.headers and not request.content:
            yield "there is a content type, but no body"
        if content and "multipart/form-data" in content:
            known = self._resolved(content["multipart/form-data"]["schema"])["properties"]
            unknown = {name.decode() for name in PART_NAME.findall(request.content)} - known.keys()
            yield from (f"the form has {name}, which the spec does not" for name in unknown)

    def _in_credentials(self, request: httpx.Request, described: dict[str, Any]) -> Iterator[str]:
        allowed = [[SCHEMES[name] for name in choice] for choice in described.get("security", ())] or [[]]
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        if ([scheme] if scheme else []) not in allowed:
            yield f"the credentials are {scheme or 'missing'}, not one of {allowed}"

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        return resolved(node, self._spec)
