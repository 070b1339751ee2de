"""The generated layer against the spec: methods, errors, annotations."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import pytest
from tests.spec import SPEC, resolved, spec

from redcore import AsyncClient, Client
from redcore._base.operation import Operation
from redcore._resources import generated, generated_raw
from redcore._resources.auth import AsyncAuth, Auth
from redcore._resources.files import AsyncFiles, Files
from redcore._resources.workflows import AsyncWorkflows, Workflows
from redcore._spec import models, operations
from redcore.exceptions import RedcoreAPIError
from redcore.options import RequestOptions

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
ENTRY = re.compile(r"^    (\w+): (\d{3}), ", re.MULTILINE)


def described() -> Iterator[tuple[str, Json]]:
    """Map each operation id of the SDK to its operation."""
    for item in spec()["paths"].values():
        for method in METHODS:
            if method in item and item[method].get("x-redcore-sdk") is not False:
                yield item[method]["operationId"], item[method]


OPERATIONS = dict(described())
OPTION_NAMES = RequestOptions.__optional_keys__
BOUND = {name: operation for name, operation in OPERATIONS.items() if operation.get("x-redcore-resource") is not False}


def method(name: str, prefix: str = "") -> Callable[..., Any]:
    """Return the method of a resource that an operation id stands for."""
    tag = OPERATIONS[name]["tags"][0]
    resource = getattr(generated, prefix + "".join(word.title() for word in tag.split("_")))
    found: Callable[..., Any] = getattr(resource, name.removeprefix(f"{tag}_"))
    return found


def test_every_operation_of_the_spec_is_described() -> None:
    """There is one function for each operation, and no other."""
    functions = {name for name, value in vars(operations).items() if inspect.isfunction(value)}

    assert functions == set(OPERATIONS)


@pytest.mark.parametrize("name", BOUND)
def test_both_colours(name: str) -> None:
    """The blocking and the awaitable method have the same parameters, results and words."""
    blocking, awaitable = method(name), method(name, "Async")

    assert not inspect.iscoroutinefunction(blocking)
    assert inspect.iscoroutinefunction(awaitable)
    assert inspect.signature(blocking) == inspect.signature(awaitable)
    assert blocking.__doc__ == (awaitable.__doc__ or "").replace("    await client.", "    client.")


@pytest.mark.parametrize("prefix", ["", "Async"])
@pytest.mark.parametrize("name", BOUND)
def test_every_method_has_an_example(name: str, prefix: str) -> None:
    """Each docstring ends with one call, made from the examples of the spec, that has the method's own arguments."""
    shown = (inspect.getdoc(method(name, prefix)) or "").partition("Example:\n")[2].strip()
    call = ast.parse(shown.removeprefix("await "), mode="eval").body

    assert shown.startswith("await ") == bool(prefix)
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == f"client.{dotted(name)}"
    inspect.signature(method(name, prefix)).bind(None, *call.args, **{str(word.arg): word for word in call.keywords})


@pytest.mark.parametrize("cls", [Auth, AsyncAuth, Files, AsyncFiles, Workflows, AsyncWorkflows])
def test_handwritten_methods_have_an_example_too(cls: type[Any]) -> None:
    """Handwritten methods are documented as generated ones are, and so is the class."""
    own = [value for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")]

    assert [function.__name__ for function in own if "Example:" not in (function.__doc__ or "")] == []
    assert "Every method can raise these errors" in (cls.__doc__ or "")


def dotted(name: str) -> str:
    """Return an operation id as the path to its method."""
    tag = OPERATIONS[name]["tags"][0]
    return f"{tag}.{name.removeprefix(f'{tag}_')}"


@pytest.mark.parametrize("name", BOUND)
def test_every_method_takes_options(name: str) -> None:
    """Each method takes the options of a call beside its own arguments, and no argument has the name of an option."""
    parameters = inspect.signature(method(name)).parameters

    assert parameters["options"].kind is inspect.Parameter.VAR_KEYWORD
    assert parameters["options"].annotation == "Unpack[RequestOptions]"
    assert not parameters.keys() & set(OPTION_NAMES)


def test_the_generator_knows_the_options() -> None:
    """The generator refuses a specification whose argument has the name of an option."""
    source = ast.parse((SPEC.parent / "descriptions.py").read_text())
    assignment = next(node.value for node in source.body if isinstance(node, ast.Assign) and named(node) == "OPTIONS")

    assert ast.literal_eval(assignment) == {*OPTION_NAMES, "options"}


def named(node: ast.Assign) -> str:
    return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""


@pytest.mark.parametrize("name", BOUND)
def test_the_errors_are_those_of_the_spec(name: str) -> None:
    """Class and method list each status of the endpoint once, under the class that it is raised as."""
    resource = getattr(generated, method(name).__qualname__.partition(".")[0])
    listed = ENTRY.findall(inspect.getdoc(resource) or "") + ENTRY.findall(inspect.getdoc(method(name)) or "")
    raised = sorted(listed, key=lambda entry: int(entry[1]))
    statuses = sorted(int(status) for status in OPERATIONS[name]["responses"] if int(status) >= 400)
    classes = {status: RedcoreAPIError.for_status(status).__name__ for status in statuses}
    if name.startswith("auth_") and 400 in classes:
        classes[400] = "AuthenticationError"  # RFC 6749 section 5.2

    assert raised == [(classes[status], str(status)) for status in statuses]


@pytest.mark.parametrize("name", BOUND)
def test_the_parameters_are_described(name: str) -> None:
    """Each parameter of a method is in its Args section, in the words of the spec."""
    doc = inspect.getdoc(method(name)) or ""
    parameters = [name for name in inspect.signature(method(name)).parameters if name != "self"]

    assert re.findall(r"^    (\w+): ", doc.partition("Args:")[2].partition("\n\n")[0], re.MULTILINE) == parameters


@pytest.mark.parametrize("name", BOUND)
def test_the_annotation_is_the_answer_of_the_spec(name: str) -> None:
    """The return annotation is the type of the endpoint's success response."""
    success = resolved(
        next(response for status, response in OPERATIONS[name]["responses"].items() if status < "300"), spec()
    )
    annotation = inspect.signature(method(name)).return_annotation

    assert annotation == answer_of(success)


def answer_of(success: Json) -> str:
    """Return the annotation that stands for a success in the spec."""
    content = success.get("content", {})
    if not content:
        return "None"
    if "application/json" not in content:
        return "bytes"
    named = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = resolved({"$ref": f"#/components/schemas/{named}"}, spec())
    data = schema.get("properties", {}).get("data")
    if data is None:
        return str(named)
    if "items" in data:
        item = data["items"]["$ref"].rpartition("/")[2]
        return f"Page[{item}] | CursorPage[{item}]"
    return str(data["$ref"].rpartition("/")[2])


@pytest.mark.parametrize("name", BOUND)
def test_the_scope_is_documented(name: str) -> None:
    """A method documents the scope it needs, unless it needs none."""
    scopes = [scope for requirement in OPERATIONS[name].get("security", []) for scope in requirement.get("oauth2", [])]
    doc = inspect.getdoc(method(name)) or ""

    assert re.findall(r"^Scope: `(.*)`\.$", doc, re.MULTILINE) == scopes


@pytest.mark.parametrize("name", [id_ for id_, each in BOUND.items() if each.get("x-redcore-pagination") == "offset"])
def test_every_listing_has_pagination_in_both_colours(name: str) -> None:
    """Each listing has a walker with the same filters, in both colours."""
    short = name.removeprefix(f"{OPERATIONS[name]['tags'][0]}_")
    walker = "list_all" if short == "list" else short.replace("list_", "list_all_")
    which = {"self", "limit", "offset", "cursor", "include_total"}
    filters = [p for p in inspect.signature(method(name)).parameters if p not in which]

    for prefix in ("", "Async"):
        owner = getattr(generated, method(name, prefix).__qualname__.partition(".")[0])
        expected = ["self", "page_size", "concurrency", "offset", "cursor", *filters]
        assert [*inspect.signature(getattr(owner, walker)).parameters] == expected


@pytest.mark.parametrize("name", BOUND)
def test_raw_siblings(name: str) -> None:
    """Each method has a raw sibling in both colours, with its parameters, which wraps its result."""
    for prefix in ("", "Async"):
        plain = method(name, prefix)
        owner, _, short = plain.__qualname__.partition(".")
        sibling = getattr(getattr(generated_raw, f"{prefix}Raw{owner.removeprefix(prefix)}"), short)

        assert inspect.signature(sibling).parameters == inspect.signature(plain).parameters
        assert sibling.__annotations__["return"] == f"RawResponse[{plain.__annotations__['return']}]"
        assert inspect.iscoroutinefunction(sibling) == bool(prefix)


@pytest.mark.parametrize("name", BOUND)
def test_raw_siblings_make_the_same_call(name: str) -> None:
    """With the arguments of its example, a raw method passes on the same operation as the plain one, marked as raw."""
    plain, raw, awaited = Recorder(), Recorder(), Recorder()

    called(generated, name, "", plain.execute)
    called(generated_raw, name, "Raw", raw.execute)
    asyncio.run(called(generated_raw, name, "AsyncRaw", awaited.execute_async))

    expected = [(attrs.evolve(operation, raw=True), options) for operation, options in plain.seen]
    assert len(expected) == 1
    assert raw.seen == expected
    assert awaited.seen == expected


class Recorder:
    """Records calls in place of a client."""

    def __init__(self) -> None:
        self.seen: list[tuple[Operation[Any], RequestOptions | None]] = []

    def execute(self, operation: Operation[Any], options: RequestOptions | None = None) -> None:
        """Record a call."""
        self.seen.append((operation, options))

    async def execute_async(self, operation: Operation[Any], options: RequestOptions | None = None) -> None:
        """As `execute`, awaited."""
        self.execute(operation, options)


def called(module: ModuleType, name: str, prefix: str, execute: Any) -> Any:
    """Call the method of an operation with the arguments of its example and one option; return its result."""
    plain = method(name)
    example = (inspect.getdoc(plain) or "").partition("Example:\n")[2].strip()
    owner, _, short = plain.__qualname__.partition(".")
    resource = getattr(module, f"{prefix}{owner}")(execute)
    client = SimpleNamespace(**{OPERATIONS[name]["tags"][0]: SimpleNamespace(**{short: given})})
    arguments, named = eval(example, {"client": client, "Path": Path})  # noqa: S307 (our own)
    return getattr(resource, short)(*arguments, **named, timeout=7)


def given(*arguments: Any, **named: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call."""
    return arguments, named


def test_each_tag_is_a_resource_of_both_clients() -> None:
    """`client.users` and all the others exist in both colours."""
    tags = {operation["tags"][0] for operation in BOUND.values()}

    for client in (Client(api_key="k"), AsyncClient(api_key="k")):
        for tag in tags:
            assert getattr(client, tag) is getattr(client, tag)
            assert getattr(client.raw, tag) is getattr(client.raw, tag)


def test_the_catalogue_of_errors_is_the_specs() -> None:
    """Codes and statuses are those of `x-redcore-status`."""
    schema = spec()["components"]["schemas"]["ErrorCode"]

    assert dict(models.ERROR_STATUS) == schema["x-redcore-status"]
    assert [code.value for code in models.ErrorCode] == schema["enum"]


def test_only_idempotent_operations_are_retried() -> None:
    """Every operation is idempotent by its nature or takes an Idempotency-Key where the spec says so."""
    for name, operation in OPERATIONS.items():
        source = inspect.getsource(getattr(operations, name))

        assert ("keyed=True" in source) == (operation.get("x-redcore-idempotency") == "key"), name
