"""Renders an OpenAPI file as pages: operations of a tag, schemas, scopes, error codes, each by a directive of one line.

Everything comes from the file, so that nothing about the API is typed twice. Covers what openapi/redcore.yaml uses, and
is not a general renderer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from call_examples import tabs
from docutils import nodes
from markup import Cell, field_list, inline, joined, json_block, link, paragraphs, shown, table
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from redcore.exceptions import RedcoreAPIError

Json: TypeAlias = Mapping[str, Any]

METHODS: Final = ("get", "post", "put", "patch", "delete")
LIMITS: Final = {
    "format": "{}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches `{}`",
    "default": "default `{}`",
}


@cache
def load(path: str) -> Json:
    spec: Json = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return spec


class Page(SphinxDirective):
    """What all directives share: the file, and nodes made of it."""

    has_content = False

    @property
    def spec(self) -> Json:
        path = self.config.openapi_spec
        self.env.note_dependency(path)
        return load(path)

    def resolve(self, thing: Json) -> Json:
        """Follow a `$ref`; what stands beside it wins."""
        if "$ref" not in thing:
            return thing
        found: Any = self.spec
        for key in thing["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        return {**self.resolve(found), **{name: value for name, value in thing.items() if name != "$ref"}}

    # Nodes -----------------------------------------------------------------------------------

    def section(self, title: str, anchor: str) -> nodes.section:
        """A section that `ref` finds under its anchor."""
        section = nodes.section("", nodes.title("", "", *inline(title)), ids=[anchor], names=[anchor])
        domain = self.env.domains.standard_domain
        domain.anonlabels[anchor.lower()] = self.env.docname, anchor
        domain.labels[anchor.lower()] = self.env.docname, anchor, title
        return section

    def schema_type(self, schema: Json) -> list[nodes.Node]:
        """A type and its limits, with links to the schemas it names."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return [link("std", "ref", f"schema-{name}", name)]
        limits = [text.format(shown(schema[name])) for name, text in LIMITS.items() if name in schema]
        return [*self.kind(schema), *inline("".join(f", {limit}" for limit in limits))]

    def kind(self, schema: Json) -> list[nodes.Node]:
        """A type without its limits."""
        if "oneOf" in schema:
            return joined((self.schema_type(choice) for choice in schema["oneOf"]), " or ")
        if "const" in schema:
            return inline(f"always `{shown(schema['const'])}`")
        if "enum" in schema:
            return inline(" or ".join(f"`{value}`" for value in schema["enum"]))
        if schema.get("type") == "array":
            return [nodes.Text("array of "), *self.schema_type(schema["items"])]
        kinds = schema.get("type", "any")
        return inline(kinds if isinstance(kinds, str) else " or ".join(kinds))

    def fields(self, schema: Json) -> nodes.table:
        """The fields of an object."""
        required = schema.get("required", ())
        return table(
            ("Field", "Type", "Meaning"),
            (
                (
                    f"`{name}`" + (", required" if name in required else ""),
                    self.schema_type(field),
                    self.resolve(field).get("description", ""),
                )
                for name, field in schema["properties"].items()
            ),
        )


class Operations(Page):
    """`openapi-operations TAG`: every operation of a tag."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        wanted = self.arguments[0]
        tags = {tag["name"]: tag for tag in self.spec["tags"]}
        if wanted not in tags:
            raise self.error(f"the OpenAPI file has no tag {wanted}")
        operations = (
            self.operation(method.upper(), path, item[method], item.get("parameters", []))
            for path, item in self.spec["paths"].items()
            for method in METHODS
            if wanted in item.get(method, {}).get("tags", ())
        )
        return [*paragraphs(tags[wanted]["description"]), *operations]

    def operation(self, method: str, path: str, operation: Json, shared: list[Json]) -> nodes.section:
        section = self.section(operation["summary"], operation["operationId"])
        section += nodes.literal_block("", f"{method} {path}", language="none")
        section += paragraphs(operation.get("description", ""))
        section += self.facts(operation)
        if path.startswith("/v1/"):
            section += self.parse_text_to_nodes(tabs(operation, method, path, self.example(operation)))
        parameters = [self.resolve(parameter) for parameter in (*shared, *operation.get("parameters", []))]
        if parameters:
            section += nodes.rubric("", "Parameters")
            section += self.parameters(parameters)
        if "requestBody" in operation:
            section += nodes.rubric("", "Body")
            section += self.body(self.resolve(operation["requestBody"]))
        section += nodes.rubric("", "Answers")
        section += self.responses(operation["responses"])
        for answer in operation["responses"].values():
            for content in self.resolve(answer).get("content", {}).values():
                if "example" in content:
                    section += json_block(content["example"])
        return section

    def example(self, operation: Json) -> Json | None:
        """The example of the JSON body; None if the operation takes none."""
        body = self.resolve(operation.get("requestBody", {}))
        found: Json | None = body.get("content", {}).get("application/json", {}).get("example")
        return found

    def facts(self, operation: Json) -> nodes.field_list:
        """Who may call it, and by which method of the SDK."""
        facts: dict[str, list[nodes.Node]] = {"operationId": inline(f"`{operation['operationId']}`")}
        schemes = [scheme for choice in operation["security"] for scheme in choice.items()]
        if scopes := [scope for _, scopes in schemes for scope in scopes]:
            facts["Scope"] = inline(" ".join(f"`{scope}`" for scope in scopes))
        else:
            facts["Authentication"] = inline(" or ".join(f"`{name}`" for name, _ in schemes) or "none")
        if operation.get("x-redcore-sdk", True) and operation.get("x-redcore-resource", True):
            facts["SDK"] = [sdk_method(operation)]
        if operation.get("x-redcore-idempotency") == "key":
            facts["Idempotency"] = inline("takes an `Idempotency-Key`")
        return field_list(facts)

    def parameters(self, parameters: Iterable[Json]) -> nodes.table:
        return table(
            ("Name", "In", "Type", "Meaning"),
            (
                (
                    f"`{parameter['name']}`" + (", required" if parameter.get("required") else ""),
                    parameter["in"],
                    self.schema_type(parameter["schema"]),
                    parameter["description"],
                )
                for parameter in parameters
            ),
        )

    def body(self, body: Json) -> Iterator[nodes.Node]:
        for media, content in body["content"].items():
            schema = content["schema"]
            yield nodes.paragraph("", "", *inline(f"`{media}`: "), *self.schema_type(schema))
            if "properties" in (resolved := self.resolve(schema)):
                yield self.fields(resolved)
            if "example" in content:
                yield json_block(content["example"])

    def responses(self, responses: Json) -> nodes.table:
        return table(("Status", "Body", "Meaning"), (self.response(*answer) for answer in responses.items()))

    def response(self, status: str, answer: Json) -> tuple[Cell, Cell, Cell]:
        response = self.resolve(answer)
        bodies = (
            self.schema_type(content["schema"]) if media == "application/json" else inline(f"`{media}`")
            for media, content in response.get("content", {}).items()
        )
        return f"`{status}`", joined(bodies, " or "), self.with_codes(response["description"])

    def with_codes(self, text: str) -> list[nodes.Node]:
        """Text in which error codes are links to the catalogue."""
        codes = self.spec["components"]["schemas"]["ErrorCode"]["enum"]
        return [link("std", "ref", word, word) if (word := node.astext()) in codes else node for node in inline(text)]


class ErrorCodes(Page):
    """`openapi-errors`: the catalogue, one section a code, whose anchor is the code itself."""

    def run(self) -> list[nodes.Node]:
        catalogue = self.spec["components"]["schemas"]["ErrorCode"]["x-redcore-status"]
        return [self.code(code, status) for code, status in catalogue.items()]

    def code(self, code: str, status: int) -> nodes.section:
        section = self.section(f"`{code}`", code)
        section += field_list({"Status": inline(str(status)), "SDK": [sdk_error(status)]})
        for response in self.spec["components"]["responses"].values():
            for content in response.get("content", {}).values():
                if code in (examples := content.get("examples", {})):
                    section += paragraphs(meaning_of(code, response["description"]))
                    section += json_block(examples[code]["value"])
        return section


class Schemas(Page):
    """`openapi-schemas`: every schema, one section each."""

    def run(self) -> list[nodes.Node]:
        return [self.schema(name, schema) for name, schema in sorted(self.spec["components"]["schemas"].items())]

    def schema(self, name: str, schema: Json) -> nodes.section:
        section = self.section(f"`{name}`", f"schema-{name}")
        section += paragraphs(schema.get("description", ""))
        if "properties" in schema:
            section += self.fields(schema)
        else:
            section += nodes.paragraph("", "", *self.schema_type(schema))
        return section


class Scopes(Page):
    """`openapi-scopes`: what each scope allows."""

    def run(self) -> list[nodes.Node]:
        flows = self.spec["components"]["securitySchemes"]["oauth2"]["flows"]
        scopes = {scope: meaning for flow in flows.values() for scope, meaning in flow["scopes"].items()}
        return [table(("Scope", "Allows"), ((f"`{scope}`", meaning) for scope, meaning in scopes.items()))]


def meaning_of(code: str, description: str) -> str:
    """What a response's description, "`CODE`: meaning; `OTHER_CODE`: meaning.", says of one code."""
    (meaning,) = re.findall(rf"`{code}`: (.+?)\.?(?:; `[A-Z_]+`: .*)?$", " ".join(description.split()))
    return f"{meaning[0].upper()}{meaning[1:]}."


# The SDK's side ------------------------------------------------------------------------------


def sdk_method(operation: Json) -> addnodes.pending_xref:
    (tag,) = operation["tags"]
    name = f"client.{tag}.{operation['operationId'].removeprefix(f'{tag}_')}"
    return link("py", "meth", name, f"{name}()")


def sdk_error(status: int) -> addnodes.pending_xref:
    name = RedcoreAPIError.for_status(status).__name__
    return link("py", "exc", f"redcore.exceptions.{name}", name)


# Sphinx --------------------------------------------------------------------------------------


def check_completeness(app: Sphinx, env: BuildEnvironment) -> None:
    """Fail if an operation is on no page."""
    operations = {
        item[method]["operationId"]
        for item in load(app.config.openapi_spec)["paths"].values()
        for method in METHODS
        if method in item
    }
    if missing := operations - env.domains.standard_domain.anonlabels.keys():
        raise ExtensionError(f"no page has openapi-operations for {', '.join(sorted(missing))}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_config_value("openapi_spec", None, "env", str)
    app.add_directive("openapi-operations", Operations)
    app.add_directive("openapi-errors", ErrorCodes)
    app.add_directive("openapi-schemas", Schemas)
    app.add_directive("openapi-scopes", Scopes)
    app.connect("env-check-consistency", check_completeness)
    return {"parallel_read_safe": True}
