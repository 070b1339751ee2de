"""Render src/redcore/_generated/ from openapi/redcore.yaml.

openapi-python-client parses and names, the templates in openapi/templates/ write, ruff formats. What its parser drops
(descriptions beside a `$ref`, inherited parameters' texts, `x-redcore-*`) is read from the file itself here.
Run with --check to fail when the committed files differ from what the spec gives.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from keyword import iskeyword
from pathlib import Path
from typing import Any

from attrs import frozen
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser import properties as p
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.literal_enum_property import LiteralEnumProperty
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "openapi" / "redcore.yaml"
TEMPLATES = ROOT / "openapi" / "templates"
TARGET = ROOT / "src" / "redcore" / "_generated"
OUTPUTS = ("__init__.py", "models.py", "operations.py", "resources.py")
METHODS = ("get", "put", "post", "delete", "patch")
IDEMPOTENT = ("get", "put", "delete", "patch")  # ours: every PATCH of the contract sets, none adds
API = "/v1"
MAPPING_METHODS = (
    "get",
    "items",
    "keys",
    "values",
)  # a model answers as a mapping, so no field may hide these
ENVELOPE = {"data", "meta"}
ERRORS = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "PermissionError",
    404: "NotFoundError",
    409: "DuplicateError",
    422: "ValidationError",
    429: "RateLimitError",
}
RUFF = ("--isolated", "--no-cache", "--target-version=py311", "--line-length=120", "--stdin-filename")
FIX = (
    "check",
    "--fix-only",
    "--quiet",
    "--select=I,F401",
    "--config=lint.isort.known-first-party=['redcore']",
)
ISORT = ("--config=lint.isort.split-on-trailing-comma=false",)
FORMAT = ("format", "--quiet", "--config=format.skip-magic-trailing-comma=true")

Json = dict[str, Any]


# The file as written ------------------------------------------------------------------------


def read_spec() -> Json:
    """The spec, without what is no part of the SDK and what the SDK fills in by itself."""
    spec: Json = YAML(typ="safe").load(SPEC)
    known = spec["components"]["parameters"]
    managed = {f"#/components/parameters/{name}" for name, q in known.items() if q.get("x-redcore-managed")}

    def kept(parameters: list[Json]) -> list[Json]:
        return [q for q in parameters if q.get("$ref") not in managed and not q.get("x-redcore-managed")]

    paths: Json = {}
    for path, item in spec["paths"].items():
        ours = {m: item[m] for m in METHODS if m in item and item[m].get("x-redcore-sdk") is not False}
        if ours:
            mended = {m: {**op, "parameters": kept(op.get("parameters", []))} for m, op in ours.items()}
            paths[path] = {**mended, "parameters": kept(item.get("parameters", []))}
    return with_used_schemas({**spec, "paths": paths})


def with_used_schemas(spec: Json) -> Json:
    """The spec with only the schemas that its operations reach, without the fields the SDK fills in by itself."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if (ref := node.get("$ref")) and ref not in found:
                found.add(ref)
                walk(resolve(spec, node))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(spec["paths"])
    components = spec["components"]
    schemas = {n: s for n, s in components["schemas"].items() if f"#/components/schemas/{n}" in found}
    for schema in schemas.values():
        given = schema.get("properties", {})
        for name in [name for name, told in given.items() if told.get("x-redcore-managed")]:
            del given[name]
    return {**spec, "components": {**components, "schemas": schemas}}


def resolve(spec: Json, node: Json) -> Json:
    """What a node is, following its `$ref`; what stands beside the `$ref` wins."""
    if "$ref" not in node:
        return node
    target: Any = spec
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return {**resolve(spec, target), **{k: v for k, v in node.items() if k != "$ref"}}


def raw_operations(spec: Json) -> dict[str, Json]:
    """OperationId -> the operation as written, with inherited security and parameters resolved."""
    found: dict[str, Json] = {}
    twice = Counter(op["operationId"] for item in spec["paths"].values() for m, op in item.items() if m in METHODS)
    if repeated := [name for name, times in twice.items() if times > 1]:
        raise SystemExit(f"operationId used twice: {', '.join(repeated)}")
    for item in spec["paths"].values():
        for method, op in item.items():
            if method in METHODS:
                told = [resolve(spec, q) for q in [*item["parameters"], *op["parameters"]]]
                found[op["operationId"]] = {**op, "security": op.get("security", []), "parameters": told}
    return found


def sentence(text: str | None) -> str:
    """A description as one line that is safe inside a docstring."""
    return " ".join((text or "").split()).replace("\\", "\\\\").replace('"""', "'''")


# Types --------------------------------------------------------------------------------------


def trusted(text: Any) -> str:
    """A text of the spec as written; the parser wraps it, for its spec could be anybody's. Ours is ours."""
    return str(text.get_untrusted_value()) if hasattr(text, "get_untrusted_value") else str(text)


def wire(prop: Any) -> str:
    return trusted(prop.name)


def is_mapping(model: p.ModelProperty) -> bool:
    return not (model.required_properties or model.optional_properties) and bool(model.additional_properties)


def is_enum(prop: Any) -> bool:
    return isinstance(prop, p.EnumProperty | LiteralEnumProperty)


def type_of(prop: Any) -> str:
    """The Python type of one property, always without Unset."""
    match prop:
        case p.ListProperty():
            return f"tuple[{type_of(prop.inner_property)}, ...]"
        case p.UnionProperty():
            return " | ".join(dict.fromkeys(type_of(inner) for inner in prop.inner_properties))
        case p.FileProperty():
            return "FileContent"
        case p.ModelProperty() if is_mapping(prop):
            return f"Mapping[str, {type_of(prop.additional_properties)}]"
        case _:
            return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def input_type(prop: Any) -> str:
    """The type an argument may have: wider than what an answer has."""
    if is_enum(prop):
        return f"{type_of(prop)} | Literal[{', '.join(repr(trusted(value)) for value in prop.values.values())}]"
    if isinstance(prop, p.ListProperty):
        return f"Sequence[{input_type(prop.inner_property)}]"
    return type_of(prop)


def properties(model: p.ModelProperty) -> list[Any]:
    return [*model.required_properties, *model.optional_properties]


# What the templates see ---------------------------------------------------------------------


@frozen
class Field:
    """One field of a model, or one argument of a method."""

    name: str
    wire: str
    annotation: str
    required: bool
    description: str
    secret: bool = False

    @classmethod
    def of(cls, prop: Any, told: Json, *, argument: bool) -> Field:
        name = wire(prop)
        if iskeyword(name) or (not argument and name in MAPPING_METHODS):
            name += "_"
        return cls(
            name=name,
            wire=wire(prop),
            annotation=input_type(prop) if argument else type_of(prop),
            required=prop.required,
            description=sentence(told.get("description")),
            secret=told.get("format") == "password",
        )


@frozen
class Model:
    """One attrs class."""

    name: str
    description: str
    fields: list[Field]


@frozen
class Enumeration:
    """One class of known strings."""

    name: str
    description: str
    members: dict[str, str]

    @classmethod
    def of(cls, prop: Any) -> Enumeration:
        name = str(prop.class_info.name)
        members = {trusted(key): trusted(value) for key, value in prop.values.items()}
        return cls(name, sentence(trusted(prop.description or name)), members)


@frozen
class Returns:
    """What an operation gives back: its annotation, the reader that makes it, the item if it is a page."""

    annotation: str
    reader: str
    description: str
    item: str | None = None


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
        """The query parameters of a listing, without those that say which page."""
        return [f for f in self.query if f.wire not in {"limit", "offset"}]


def returns(spec: Json, endpoint: Endpoint, op: Json) -> Returns:
    ok = next(r for r in endpoint.responses.patterns if r.status_code.range and r.status_code.range[0] < 300)
    told = sentence(resolve(spec, next(r for status, r in op["responses"].items() if status < "300"))["description"])
    payload = {str(f.python_name): f for f in properties(ok.prop)} if isinstance(ok.prop, p.ModelProperty) else {}
    match ok.source["return_type"]:
        case "None":
            return Returns("None", "nothing", told)
        case "bytes":
            return Returns("bytes", "binary", told)
    if payload.keys() != ENVELOPE:
        return Returns(type_of(ok.prop), f"plain({type_of(ok.prop)})", told)
    if isinstance(payload["data"], p.ListProperty):
        item = type_of(payload["data"].inner_property)
        return Returns(f"Page[{item}]", f"page({item})", told, item)
    return Returns(type_of(payload["data"]), f"data({type_of(payload['data'])})", told)


def errors(spec: Json, op: Json) -> list[tuple[str, str]]:
    """What a call raises, as (class, when), in the order of the statuses."""
    classes = {**ERRORS, 400: "AuthenticationError"} if op["tags"] == ["auth"] else ERRORS
    told = [
        (
            classes.get(int(status), "RedcoreAPIError"),
            f"{status}, {sentence(resolve(spec, answer)['description'])}",
        )
        for status, answer in op["responses"].items()
        if int(status) >= 400
    ]
    return [*told, ("NetworkError", "no answer came."), ("ResponseError", "the answer cannot be read.")]


def auth(op: Json) -> str:
    kinds = {kind for requirement in op["security"] for kind in requirement}
    return "client" if "clientSecret" in kinds else "bearer" if kinds else "none"


def operation(spec: Json, endpoint: Endpoint, op: Json) -> Operation:
    told = {(q["in"], q["name"]): q for q in op["parameters"]}
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
        arguments=[Field.of(f, told["path", wire(f)], argument=True) for f in endpoint.path_parameters],
        fields=[
            Field.of(f, resolve(spec, schema[wire(f)]), argument=True)
            for f in (properties(body.prop) if body is not None and isinstance(body.prop, p.ModelProperty) else [])
        ],
        query=[Field.of(f, told["query", wire(f)], argument=True) for f in endpoint.query_parameters],
        media=media,
        returns=returns(spec, endpoint, op),
        scopes=sorted({scope for requirement in op["security"] for scope in requirement.get("oauth2", [])}),
        errors=errors(spec, op),
        auth=auth(op),
        idempotent=endpoint.method in IDEMPOTENT or op["tags"][0] == "auth",
        keyed=op.get("x-redcore-idempotency") == "key",
        paged=op.get("x-redcore-pagination") == "offset",
        bound=op.get("x-redcore-resource") is not False,
    )


def models(spec: Json, data: GeneratorData) -> list[Model]:
    """The schemas that answers are made of: no envelopes, no request bodies."""
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
    return sorted(found, key=lambda m: m.name)


# Rendering ----------------------------------------------------------------------------------


def parse(spec: Json, config: Config) -> GeneratorData:
    data = GeneratorData.from_dict(spec, config=config)
    if isinstance(data, GeneratorError):
        raise SystemExit(f"{data.header}: {data.detail}")
    collections = data.endpoint_collections_by_tag.values()
    if problems := [*data.errors, *(e for c in collections for e in c.parse_errors)]:
        raise SystemExit("\n".join(f"{e.header}: {e.detail}" for e in problems))
    return data


def render() -> dict[str, str]:
    """File name -> content, for every file of the generated package."""
    settings = ConfigFile(post_hooks=[], docstrings_on_attributes=True)
    config = Config.from_sources(settings, MetaType.NONE, SPEC, "utf-8", overwrite=True, output_path=TARGET)
    spec = read_spec()
    data = parse(spec, config)
    raw = raw_operations(spec)
    endpoints = [e for c in data.endpoint_collections_by_tag.values() for e in c.endpoints]
    env = Project(openapi=data, config=config, custom_template_path=TEMPLATES).env
    enums = sorted((Enumeration.of(e) for e in data.enums), key=lambda e: e.name)
    env.globals.update(
        api=API,
        enums=enums,
        error_codes=spec["components"]["schemas"]["ErrorCode"]["x-redcore-status"],
        models=(made := models(spec, data)),
        names=sorted([*(e.name for e in enums), *(m.name for m in made), "Page"]),
        operations=(described := [operation(spec, e, raw[e.name]) for e in endpoints]),
        tags=[
            {"name": t["name"], "description": sentence(t["description"])}
            for t in spec["tags"]
            if any(o.tag == t["name"] for o in described)
        ],
    )
    return {name: format_source(env.get_template(f"{name}.jinja").render(), name) for name in OUTPUTS}


def format_source(source: str, name: str) -> str:
    """Sort imports and format through stdin, so that no half-made file ever lies in the tree."""
    for command in ((*FIX, *ISORT), FORMAT):
        argv = [sys.executable, "-m", "ruff", *command, *RUFF, name, "-"]
        done = subprocess.run(argv, input=source, capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode:
            raise SystemExit(f"ruff on {name}: {done.stderr}\n{source}")
        source = done.stdout
    return source


def main(argv: list[str]) -> int:
    """Write the files, or with --check only say which are stale or should not be there."""
    rendered = render()
    stale = [
        n for n, text in rendered.items() if not (TARGET / n).exists() or (TARGET / n).read_bytes() != text.encode()
    ]
    strange = sorted(f.name for f in TARGET.glob("*.py") if f.name not in rendered)
    if "--check" in argv:
        if stale or strange:
            print("run `nox -s generate`; stale or not generated:", *stale, *strange)
        return 1 if stale or strange else 0
    for name in strange:
        (TARGET / name).unlink()
    for name in stale:
        (TARGET / name).write_bytes(rendered[name].encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
