"""From the contract's file to operations, and from a request's path to its operation."""

from __future__ import annotations

from typing import Any

import pytest

from redcore_server.contract import spec
from redcore_server.contract.spec import Spec
from redcore_server.errors import MethodNotAllowed, NotFound


@pytest.fixture
def contract() -> Spec:
    return spec.load()


def _document(paths: dict[str, Any]) -> dict[str, Any]:
    return {
        "info": {"version": "1"},
        "paths": paths,
        "components": {
            "schemas": {"ListMeta": {"properties": {"limit": {"maximum": 100}}}},
            "securitySchemes": {"oauth2": {"flows": {}}},
        },
    }


def test_each_operation_of_the_file_is_found_by_its_own_path(contract: Spec) -> None:
    """An operation's path template, filled in, leads back to it."""
    for operation in contract.operations.values():
        path = operation.path.replace("{", "a-").replace("}", "-z")

        match = contract.find(operation.method, path.encode())

        assert match.operation == operation
        assert all(value == f"a-{name}-z" for name, value in match.path.items())
        assert len(match.path) == operation.path.count("{")


def test_an_operation_knows_scope_body_and_headers(contract: Spec) -> None:
    """The dispatcher's facts are read from `security`, `requestBody` and `parameters`."""
    create, listing = contract.operations["users_create"], contract.operations["users_list"]

    assert (create.scope, create.body is None) == ("users:write", False)
    assert [parameter.name for parameter in create.parameters["header"]] == ["Idempotency-Key"]
    assert (listing.scope, listing.body is None) == ("users:read", True)
    assert contract.operations["auth_jwks"].scope is None


def test_parameters_have_their_defaults_and_headers_of_the_gateway_are_left_out(contract: Spec) -> None:
    """`limit` is 20 and `offset` 0 if absent; `X-Request-ID` is handled by the gateway alone."""
    listing = contract.operations["users_list"]

    assert [(parameter.name, parameter.default) for parameter in listing.parameters["query"]] == [
        ("limit", 20),
        ("offset", 0),
        ("cursor", None),
        ("include_total", None),
        ("role", None),
        ("status", None),
        ("q", None),
    ]
    assert listing.parameters["header"] == ()


@pytest.mark.parametrize(
    ("path", "user_id"),
    [
        (b"/v1/users/usr_1", "usr_1"),
        (b"/v1/users/a%2Fb", "a/b"),
        (b"/v1/users/%2e%2e", ".."),
        (b"/v1/users/..%2Fme", "../me"),
        (b"/v1/users/{}", "{}"),
        (b"/v1/users/%C3%A4", "ä"),
        (b"/v1/users/%ff", "\N{REPLACEMENT CHARACTER}"),
        (b"/v1/%75sers/usr_1", "usr_1"),
    ],
)
def test_a_path_parameter_is_one_decoded_segment(contract: Spec, path: bytes, user_id: str) -> None:
    """Whatever an id holds, it stays an id: an encoded slash never changes the route."""
    match = contract.find("GET", path)

    assert (match.operation.id, dict(match.path)) == ("users_get", {"user_id": user_id})


@pytest.mark.parametrize(
    "path",
    [b"/", b"", b"/v1", b"/v1/nothing", b"/v1/users/", b"/v1//users", b"/v1/users/usr_1/nothing",
     b"/v1/users/usr%001", b"/v1/users/usr_1/invitation/"],
)  # fmt: skip
def test_an_unknown_path_is_not_found(contract: Spec, path: bytes) -> None:
    """That includes an empty segment, and an id with NUL, which no stored id has."""
    with pytest.raises(NotFound):
        contract.find("GET", path)


def test_a_wrong_method_is_a_405_with_allow(contract: Spec) -> None:
    """405 with Allow (RFC 9110 section 15.5.6)."""
    with pytest.raises(MethodNotAllowed) as caught:
        contract.find("PUT", b"/v1/users/usr_1")

    assert caught.value.headers == {"Allow": "DELETE, GET, HEAD, PATCH"}


def test_every_scope_that_an_operation_needs_is_a_scope_that_can_be_granted(contract: Spec) -> None:
    """`scopes` are those of the security scheme."""
    needed = {operation.scope for operation in contract.operations.values() if operation.scope}

    assert needed == contract.scopes


def test_a_repeated_operation_id_is_refused() -> None:
    """Two operations under one name would share a handler."""
    operation = {"operationId": "same", "security": []}

    with pytest.raises(ValueError, match="operationId same is used twice"):
        Spec(_document({"/a": {"get": operation}, "/b": {"get": operation}}))


def test_an_unsupported_parameter_type_is_refused() -> None:
    """A query string holds text; only text and whole numbers are read from it."""
    parameter = {"name": "ids", "in": "query", "schema": {"type": "array"}}
    operation = {"operationId": "one", "security": [], "parameters": [parameter]}

    with pytest.raises(ValueError, match="parameter ids: the type array is not supported"):
        Spec(_document({"/a": {"get": operation}}))
