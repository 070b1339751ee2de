"""The contract as data: parses `redcore.yaml` into operations and a router.

Reads one file and performs no other I/O. Request schemas are compiled here; `redcore_server.api.validation` checks
requests against them. A spec with a check that the server does not support is rejected when it is loaded, not at the
first request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final, Literal, cast
from urllib.parse import unquote

import attrs
import jsonschema_rs

from redcore_server.contract.document import document
from redcore_server.contract.methods import chosen
from redcore_server.errors import NotFound

Schema = Mapping[str, Any]
Location = Literal["query", "header"]

_METHODS: Final = ("get", "post", "patch", "delete")
_GATEWAY_HEADERS: Final = frozenset({"X-Request-ID"})  # read, validated and sent back by the gateway
_QUERY_TYPES: Final = frozenset({"string", "integer", "boolean"})


@attrs.frozen
class Rule:
    """A JSON Schema and the schemas it may reference; compiled on first use."""

    schema: Schema
    components: Schema = attrs.field(repr=False)

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """The compiled schema; formats are checked (JSON Schema only annotates them by default)."""
        return jsonschema_rs.Draft202012Validator(
            {**self.schema, "components": {"schemas": self.components}}, validate_formats=True
        )

    @property
    def required(self) -> frozenset[str]:
        """The fields without which no object is valid."""
        schema = self.components[self.schema["$ref"].rpartition("/")[2]] if "$ref" in self.schema else self.schema
        return frozenset(schema.get("required", ()))


@attrs.frozen
class Parameter:
    """A query parameter or header of an operation."""

    name: str
    location: Location
    is_required: bool
    is_integer: bool
    is_boolean: bool
    default: object
    """Default of an absent parameter; None if the spec sets no default."""
    rule: Rule


@attrs.frozen
class Operation:
    """One operation of the contract."""

    id: str
    method: str
    path: str
    scope: str | None
    """Scope required of the token; None for an operation without `oauth2` security."""
    parameters: Mapping[Location, tuple[Parameter, ...]]
    body: Rule | None
    """Schema of the JSON body; None without a body or for another media type."""
    is_upload: bool
    """Whether the body is a multipart form with a file."""


@attrs.frozen
class Match:
    """An operation and the path parameters of one request."""

    operation: Operation
    path: Mapping[str, str]


@attrs.define
class _Node:
    children: dict[str, _Node] = attrs.field(factory=dict)  # pyright: ignore[reportUnknownVariableType]
    any_child: _Node | None = None
    """Next node for a segment that is not in `children`."""
    operations: dict[str, Operation] = attrs.field(factory=dict[str, Operation])
    names: tuple[str, ...] = ()


class Spec:
    """The whole contract.

    Attributes:
        version: Version of the contract, part of every response's `meta`.
        max_limit: Maximum items of a page; a larger `limit` is clamped to it.
        scope_meanings: All scopes with a human-readable description of what each allows.
        scopes: Names of all scopes.
        operations: Operations by operationId.
    """

    def __init__(self, document: Schema) -> None:
        """Compile a parsed document.

        Args:
            document: OpenAPI 3.1 document, without references to other files.

        Raises:
            ValueError: It uses a check that the server does not support, or repeats an operationId.
        """
        self.document = document
        self.version: str = document["info"]["version"]
        schemas = document["components"]["schemas"]
        self.max_limit: int = schemas["ListMeta"]["properties"]["limit"]["maximum"]
        flows = document["components"]["securitySchemes"]["oauth2"]["flows"].values()
        self.scope_meanings: dict[str, str] = {
            scope: meaning for flow in flows for scope, meaning in flow["scopes"].items()
        }
        self.scopes = frozenset(self.scope_meanings)
        self.operations: dict[str, Operation] = {}
        self._root = _Node()
        for operation in _Reader(document).operations():
            if operation.id in self.operations:
                raise ValueError(f"operationId {operation.id} is used twice")
            self.operations[operation.id] = operation
            self._add(operation)

    def find(self, method: str, raw_path: bytes) -> Match:
        """Return the operation of a request; a HEAD uses that of GET.

        Args:
            method: Upper-case method name.
            raw_path: Path as received, percent-encoded and without the query.

        Raises:
            NotFound: No operation has this path.
            MethodNotAllowed: The path exists, but not with this method.
        """
        node = self._root
        values: list[str] = []
        for raw in raw_path.decode("latin-1").split("/")[1:]:
            segment = unquote(raw) if "%" in raw else raw
            child = node.children.get(segment)
            # An empty segment is not an id, and no id in PostgreSQL contains NUL.
            if child is None and segment and "\0" not in segment:
                child = node.any_child
                values.append(segment)
            if child is None:
                raise NotFound
            node = child
        if not node.operations:
            raise NotFound
        return Match(chosen(node.operations, method), dict(zip(node.names, values, strict=True)))

    def _add(self, operation: Operation) -> None:
        node, names = self._root, list[str]()
        for segment in operation.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.any_child = node.any_child or _Node()
                node = node.any_child
            else:
                node = node.children.setdefault(segment, _Node())
        node.names = tuple(names)
        node.operations[operation.method] = operation


@cache
def load() -> Spec:
    """Return the contract shipped with this server; it is read once per process."""
    return Spec(document())


class _Reader:
    """Builds operations from a document."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._schemas: Schema = document["components"]["schemas"]

    def operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            shared = item.get("parameters", [])
            for method in (name for name in _METHODS if name in item):
                yield self._operation(path, method, item[method], shared)

    def _operation(self, path: str, method: str, node: Schema, shared: list[Schema]) -> Operation:
        parameters = [self._resolved(parameter) for parameter in (*shared, *node.get("parameters", []))]
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            scope=_scope(node["security"]),
            parameters={
                "query": self._parameters(parameters, "query"),
                "header": self._parameters(parameters, "header"),
            },
            body=self._body(node),
            is_upload="multipart/form-data" in self._media(node),
        )

    def _parameters(self, nodes: list[Schema], location: Location) -> tuple[Parameter, ...]:
        return tuple(
            self._parameter(node, location)
            for node in nodes
            if node["in"] == location and node["name"] not in _GATEWAY_HEADERS
        )

    def _parameter(self, node: Schema, location: Location) -> Parameter:
        schema = self._resolved(node["schema"])
        kind = schema.get("type", "string")
        if kind not in _QUERY_TYPES:
            raise ValueError(f"parameter {node['name']}: the type {kind} is not supported")
        return Parameter(
            name=node["name"],
            location=location,
            is_required=node.get("required", False),
            is_integer=kind == "integer",
            is_boolean=kind == "boolean",
            default=schema.get("default"),
            rule=self._rule(schema),
        )

    def _body(self, node: Schema) -> Rule | None:
        media = self._media(node).get("application/json")
        return self._rule(media["schema"]) if media else None

    def _media(self, node: Schema) -> Schema:
        return self._resolved(node["requestBody"])["content"] if "requestBody" in node else {}

    def _rule(self, schema: Schema) -> Rule:
        return Rule(schema, self._schemas)

    def _resolved(self, node: Schema) -> Schema:
        while "$ref" in node:
            target: Any = self._document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = cast("Schema", target)
        return node


def _scope(security: list[Mapping[str, list[str]]]) -> str | None:
    """Return the scope of the `oauth2` alternative: each operation of the contract needs one or none."""
    for alternative in security:
        if "oauth2" in alternative:
            (scope,) = alternative["oauth2"]
            return scope
    return None
