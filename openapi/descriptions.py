"""The templates' input: models, enumerations and operations, with Python names and types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from keyword import iskeyword
from typing import Any

from attrs import frozen
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser import properties as p
from openapi_python_client.parser.openapi import Endpoint
from python_types import Listed, converter_of, input_type, is_mapping, properties, trusted, type_of, wire, word
from spec_file import Json, resolve, sentence

PAGE_PARAMETERS = {"limit", "offset", "cursor", "include_total"}
"""Query parameters that select a page of a listing."""
OPTIONS = {"timeout", "deadline", "max_retries", "retry", "headers", "idempotency_key", "pacing", "options"}
"""Names that every method takes beside its own arguments; a test compares them with `RequestOptions`."""
IDEMPOTENT = ("get", "put", "delete", "patch")  # ours: every PATCH of the contract sets, none adds
MAPPING_METHODS = ("get", "items", "keys", "values")
ENVELOPE = {"data", "meta"}
INTERNAL = {"DeviceAuthorization", "Error", "Meta", "OAuthError", "TokenResponse"}
"""Models that the SDK converts before users see them."""
ERRORS = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "PermissionError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "ValidationError",
    429: "RateLimitError",
}


@frozen
class Field:
    """One field of a model, or one argument of a method."""

    name: str
    annotation: str
    required: bool
    description: str
    secret: bool = False
    converter: str | None = None
    """The converter of the constructor argument of a model's field; None keeps it as it is."""
    listed: Listed | None = None
    """The items of a list, unless they are plain strings."""

    @classmethod
    def of(cls, prop: Any, raw: Json, *, argument: bool) -> Field:
        name = wire(prop)
        if iskeyword(name):
            raise SystemExit(f"{name} is a word of Python, which no field or argument can be named")
        if argument and name in OPTIONS:
            raise SystemExit(f"{name} is an option of every call, which no argument can be named")
        whole = raw.get("x-redcore-subset-of", type_of(prop))  # so that a value read from a model can be given back
        return cls(
            name=name,
            annotation=input_type(prop).replace(type_of(prop), whole)
            if argument
            else type_of(prop).replace("datetime.datetime", "Timestamp"),
            required=prop.required,
            description=sentence(raw.get("description")),
            secret=raw.get("format") == "password",
            converter=None if argument else converter_of(prop),
            listed=Listed.of(prop),
        )


@frozen
class Model:
    """One attrs class."""

    name: str
    description: str
    fields: list[Field]

    @property
    def is_public(self) -> bool:
        """Whether `redcore` exports it; the others are named by their module, or a pickle would look for them there."""
        return self.name not in INTERNAL

    @property
    def base(self) -> str:
        """A model is a mapping unless one of its fields hides a method of mappings."""
        return "NamedModel" if any(f.name in MAPPING_METHODS for f in self.fields) else "MappingModel"


@frozen
class Enumeration:
    """One class of known strings."""

    name: str
    description: str
    members: dict[str, str]

    @classmethod
    def of(cls, prop: Any) -> Enumeration:
        name = str(prop.class_info.name)
        members = {word(trusted(value)): trusted(value) for value in prop.values.values()}
        return cls(name, sentence(trusted(prop.description or name)), members)


def enumerations(spec: Json, data: GeneratorData) -> list[Enumeration]:
    """Return the enums of the spec, except those declared to be part of another."""
    every = sorted((Enumeration.of(prop) for prop in data.enums), key=lambda enum: enum.name)
    parts = [set(schema["enum"]) for schema in declared_parts(spec)]
    found = [
        enum for enum in every if enum.name in spec["components"]["schemas"] or {*enum.members.values()} not in parts
    ]
    for enum in found:
        for other in found:
            if {*enum.members.values()} < {*other.members.values()}:
                raise SystemExit(f"{enum.name} is a part of {other.name}: say so by x-redcore-subset-of")
    return found


def declared_parts(node: Any) -> Iterator[Json]:
    """Return the schemas that are declared to be part of another enum."""
    if isinstance(node, dict):
        if "x-redcore-subset-of" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from declared_parts(inner)


@frozen
class Returns:
    """The result of an operation: its annotation, and its place in the answer."""

    annotation: str
    shape: str
    description: str
    model: str | None = None
    """The class of the object, or of the items of a page."""


@frozen
class Operation:
    """One function of operations.py, one method of a resource."""

    name: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    arguments: list[Field]
    fields: list[Field]
    query: list[Field]
    media: str | None
    returns: Returns
    scopes: list[str]
    errors: list[tuple[str, str]]
    auth: str
    idempotent: bool
    keyed: bool
    paged: bool
    bound: bool
    example: str
    """The arguments of a call, as Python source."""

    @property
    def short(self) -> str:
        """The name of the method, within its resource."""
        return self.name.removeprefix(f"{self.tag}_")

    @property
    def walker(self) -> str:
        """The name of the method that walks all pages."""
        return self.short.replace("list", "list_all", 1)

    @property
    def filters(self) -> list[Field]:
        """The query parameters of a listing, without those that select a page."""
        return [f for f in self.query if f.name not in PAGE_PARAMETERS]


def returns(spec: Json, endpoint: Endpoint, op: Json) -> Returns:
    ok = next(r for r in endpoint.responses.patterns if r.status_code.range and r.status_code.range[0] < 300)
    description = sentence(
        resolve(spec, next(r for status, r in op["responses"].items() if status < "300"))["description"]
    )
    payload = {str(f.python_name): f for f in properties(ok.prop)} if isinstance(ok.prop, p.ModelProperty) else {}
    match ok.source["return_type"]:
        case "None":
            return Returns("None", "nothing", description)
        case "bytes":
            return Returns("bytes", "bytes", description)
    if payload.keys() != ENVELOPE:
        return Returns(model := type_of(ok.prop), "plain", description, model)
    if isinstance(payload["data"], p.ListProperty):
        item = type_of(payload["data"].inner_property)
        return Returns(f"Page[{item}]", "page", description, item)
    return Returns(model := type_of(payload["data"]), "data", description, model)


def errors(spec: Json, op: Json) -> list[tuple[str, str]]:
    """The exceptions of a call, as (class, when), in the order of the statuses."""
    classes = {**ERRORS, 400: "AuthenticationError"} if op["tags"] == ["auth"] else ERRORS
    listed = [
        (
            classes.get(int(status), "RedcoreAPIError" if int(status) < 500 else "ServerError"),
            f"{status}, {sentence(resolve(spec, answer)['description'])}",
        )
        for status, answer in op["responses"].items()
        if int(status) >= 400
    ]
    return [*listed, ("NetworkError", "no response was received."), ("ResponseError", "the response cannot be read.")]


def common_errors(described: list[Operation]) -> dict[str, list[tuple[str, str]]]:
    """Return for each tag the exceptions that all methods of its resource raise: documented once, in the class."""
    bound = [op for op in described if op.bound]
    return {
        tag: [error for error in first.errors if all(error in op.errors for op in bound if op.tag == tag)]
        for tag, first in {op.tag: op for op in bound}.items()
    }


def auth(op: Json) -> str:
    kinds = {kind for requirement in op["security"] for kind in requirement}
    return "client" if "clientSecret" in kinds else "bearer" if kinds else "none"


def operation(spec: Json, endpoint: Endpoint, op: Json) -> Operation:
    parameters = {(q["in"], q["name"]): q for q in op["parameters"]}
    body = endpoint.bodies[0] if endpoint.bodies else None
    media = trusted(body.content_type) if body else None
    schema: Json = {}
    if body is not None:
        content = resolve(spec, op["requestBody"])["content"]
        schema = resolve(spec, content[media]["schema"])["properties"]
    return Operation(
        name=op["operationId"],
        tag=op["tags"][0],
        method=endpoint.method.upper(),
        path=trusted(endpoint.path),
        summary=sentence(op["summary"]),
        description=sentence(op["description"]),
        arguments=[Field.of(f, parameters["path", wire(f)], argument=True) for f in endpoint.path_parameters],
        fields=[
            Field.of(f, resolve(spec, schema[wire(f)]), argument=True)
            for f in (properties(body.prop) if body is not None and isinstance(body.prop, p.ModelProperty) else [])
        ],
        query=[Field.of(f, parameters["query", wire(f)], argument=True) for f in endpoint.query_parameters],
        media=media,
        returns=returns(spec, endpoint, op),
        scopes=sorted({scope for requirement in op["security"] for scope in requirement.get("oauth2", [])}),
        errors=errors(spec, op),
        auth=auth(op),
        idempotent=endpoint.method in IDEMPOTENT or op["tags"][0] == "auth",
        keyed=op.get("x-redcore-idempotency") == "key",
        paged=op.get("x-redcore-pagination") == "offset",
        bound=op.get("x-redcore-resource") is not False,
        example=example(spec, endpoint, op),
    )


def example(spec: Json, endpoint: Endpoint, op: Json) -> str:
    """Return the arguments of a call, made from the examples of the spec."""
    written = {q["name"]: q for q in op["parameters"] if q["in"] == "path"}
    said = [repr(written[wire(f)]["example"]) for f in endpoint.path_parameters]
    if endpoint.bodies:
        media, body = trusted(endpoint.bodies[0].content_type), endpoint.bodies[0].prop
        given = resolve(spec, op["requestBody"])["content"][media].get("example", {})
        for field in properties(body) if isinstance(body, p.ModelProperty) else []:
            if wire(field) in given:
                said.append(f"{wire(field)}={given[wire(field)]!r}")
            elif isinstance(field, p.FileProperty):
                said.append(f'{wire(field)}=Path("catalog.csv")')
    if op.get("x-redcore-pagination") == "offset":
        said.append("limit=50")
    return ", ".join(said).replace("'", '"')


def models(spec: Json, data: GeneratorData) -> list[Model]:
    """Return the schemas that answers are made of: no envelopes, no request bodies."""
    written = spec["components"]["schemas"]
    bodies = {
        media["schema"]["$ref"].rsplit("/", 1)[1]
        for item in spec["paths"].values()
        for op in item.values()
        if isinstance(op, dict) and "requestBody" in op
        for media in resolve(spec, op["requestBody"])["content"].values()
    }
    found = []
    for model in data.models:
        name = str(model.class_info.name)
        names = {str(f.python_name) for f in properties(model)}
        if name in bodies or is_mapping(model) or names in (ENVELOPE, {"error"}) or name not in written:
            continue
        schema = written[name]
        fields = [Field.of(f, resolve(spec, schema["properties"][wire(f)]), argument=False) for f in properties(model)]
        found.append(Model(name, sentence(schema.get("description")), fields))
    return in_order(sorted(found, key=lambda m: m.name))


def in_order(found: list[Model]) -> list[Model]:
    """Return models by name, each after those that its fields mention."""
    by_name = {model.name: model for model in found}
    mentions = {
        model.name: [
            w for f in model.fields for w in re.findall(r"\w+", f.annotation) if w in by_name and w != model.name
        ]
        for model in found
    }
    return [by_name[name] for name in TopologicalSorter(mentions).static_order() if name in by_name]
