"""Every operation of the contract, through SDK and wire, in every colour; each exchange is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.conftest import Caller
from tests.contract.judge import Judge

from redcore import NotFoundError, ProductStatus, UserRole, UserStatus, ValidationError
from redcore._spec import operations
from redcore.testing import Lab, ReferenceServer

Scenario = Callable[[Caller], None]
SCENARIOS: dict[str, Scenario] = {}
ASKED_BY_THE_SDK_ITSELF = {"auth_token", "auth_device_authorization"}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Register a scenario for the operation that it covers."""

    def file(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return file


@scenario("users_get_me")
def get_me(call: Caller) -> None:
    me = call(lambda c: c.users.get_me())
    assert (me.role, me.status) == (UserRole.ADMIN, UserStatus.ACTIVE)


@scenario("users_update_me")
def update_me(call: Caller) -> None:
    assert call(lambda c: c.users.update_me(name="Grace Hopper")).name == "Grace Hopper"
    assert call(lambda c: c.users.get_me()).name == "Grace Hopper"


@scenario("users_list")
def list_users(call: Caller) -> None:
    def create(number: int) -> Callable[[Any], Any]:
        return lambda c: c.users.create(email=f"u{number}@example.com", name=f"User {number}", role="viewer")

    for number in range(3):
        call(create(number))
    page = call(lambda c: c.users.list(role="viewer", limit=2))
    assert ([u.name for u in page], page.meta.total, page["meta"]["limit"]) == (["User 2", "User 1"], 3, 2)
    assert [u.name for u in call(lambda c: c.users.list(q="sER 1"))] == ["User 1"]
    assert [len(p) for p in call.walk(lambda c: c.users.list_all(page_size=2, status="pending_invite"))] == [2, 1]
    assert len(call.walk(lambda c: c.users.list_all(page_size=1).iter_items())) == 4


@scenario("users_create")
def create_user(call: Caller) -> None:
    user = call(lambda c: c.users.create(email="Ada@Example.com", name="Ada", role=UserRole.EDITOR))
    assert (user.email, user.role, user.status) == ("Ada@Example.com", "editor", "pending_invite")


@scenario("users_get")
def get_user(call: Caller) -> None:
    user = call(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    assert call(lambda c: c.users.get(user.id)).email == "ada@example.com"


@scenario("users_update")
def update_user(call: Caller) -> None:
    user = call(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    changed = call(lambda c: c.users.update(user.id, role="admin", status="inactive"))
    assert (changed.role, changed.status, changed.name) == ("admin", "inactive", "Ada")


@scenario("users_delete")
def delete_user(call: Caller) -> None:
    user = call(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    assert call(lambda c: c.users.delete(user.id)) is None
    with pytest.raises(NotFoundError):
        call(lambda c: c.users.get(user.id))


@scenario("users_resend_invitation")
def resend_invitation(call: Caller) -> None:
    user = call(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    assert call(lambda c: c.users.resend_invitation(user.id)).status == "pending_invite"


@scenario("products_list")
def list_products(call: Caller) -> None:
    def create(number: int) -> Callable[[Any], Any]:
        return lambda c: c.products.create(name=f"Engine {number}", sku=f"ENG-{number}", price=100, stock=number)

    for number in range(3):
        call(create(number))
    assert [p.sku for p in call(lambda c: c.products.list(status="available"))] == ["ENG-2", "ENG-1"]
    assert [p.sku for p in call.walk(lambda c: c.products.list_all(q="eng-1").iter_items())] == ["ENG-1"]


@scenario("products_create")
def create_product(call: Caller) -> None:
    product = call(lambda c: c.products.create(name="Engine", sku="ENG", price=129900))
    assert (product.stock, product.status) == (0, ProductStatus.OUT_OF_STOCK)


@scenario("products_get")
def get_product(call: Caller) -> None:
    product = call(lambda c: c.products.create(name="Engine", sku="ENG", price=129900, stock=1))
    assert call(lambda c: c.products.get(product.id)) == product


@scenario("products_update")
def update_product(call: Caller) -> None:
    product = call(lambda c: c.products.create(name="Engine", sku="ENG", price=129900, stock=1))
    assert call(lambda c: c.products.update(product.id, stock=0)).status == "out_of_stock"
    assert call(lambda c: c.products.update(product.id, stock=5)).status == "available"


@scenario("products_delete")
def delete_product(call: Caller) -> None:
    product = call(lambda c: c.products.create(name="Engine", sku="ENG", price=129900))
    call(lambda c: c.products.delete(product.id))
    with pytest.raises(NotFoundError):
        call(lambda c: c.products.get(product.id))


@scenario("api_keys_create")
def create_api_key(call: Caller) -> None:
    made = call(lambda c: c.api_keys.create(name="nightly", scopes=["products:read"], mode="test"))
    assert made.key.startswith("rk_test_")
    assert (made.hint, made.scopes, made.expires_at) == (made.key[-4:], ("products:read",), None)


@scenario("api_keys_list")
def list_api_keys(call: Caller) -> None:
    made = call(lambda c: c.api_keys.create(name="nightly", scopes=["products:read"]))
    assert [key.id for key in call(lambda c: c.api_keys.list(limit=1))] == [made.id]
    assert len(call.walk(lambda c: c.api_keys.list_all(page_size=1).iter_items())) == 2


@scenario("api_keys_revoke")
def revoke_api_key(call: Caller) -> None:
    made = call(lambda c: c.api_keys.create(name="nightly", scopes=["products:read"]))
    call(lambda c: c.api_keys.revoke(made.id))
    with pytest.raises(NotFoundError):
        call(lambda c: c.api_keys.revoke(made.id))


@scenario("applications_create")
def create_application(call: Caller) -> None:
    made = call(lambda c: c.applications.create(name="Storefront", scopes=["products:read"]))
    assert (made.type, made.redirect_uris, made.client_secret[:4]) == ("confidential", (), "rcs_")
    uris = ["http://127.0.0.1/callback"]
    public = call(lambda c: c.applications.create(name="CLI", scopes=["admin"], type="public", redirect_uris=uris))
    assert (public.type, public.redirect_uris, public.client_secret) == ("public", tuple(uris), None)


@scenario("applications_list")
def list_applications(call: Caller) -> None:
    made = call(lambda c: c.applications.create(name="Storefront", scopes=["products:read"]))
    assert [a.id for a in call(lambda c: c.applications.list(limit=1))] == [made.id]
    assert len(call.walk(lambda c: c.applications.list_all(page_size=1).iter_items())) == 2


@scenario("applications_rotate_secret")
def rotate_secret(call: Caller) -> None:
    made = call(lambda c: c.applications.create(name="Storefront", scopes=["products:read"]))
    assert call(lambda c: c.applications.rotate_secret(made.id)).client_secret != made.client_secret


@scenario("applications_delete")
def delete_application(call: Caller) -> None:
    made = call(lambda c: c.applications.create(name="Storefront", scopes=["products:read"]))
    call(lambda c: c.applications.delete(made.id))
    with pytest.raises(NotFoundError):
        call(lambda c: c.applications.rotate_secret(made.id))


@scenario("files_upload")
def upload_file(call: Caller) -> None:
    file = call(lambda c: c.files.upload(file=b"a,b", name="table.csv"))
    assert (file.name, file.size, file.sha256[:8]) == ("table.csv", 3, "1eb7c54d")


@scenario("files_list")
def list_files(call: Caller) -> None:
    call(lambda c: c.files.upload(file=b"1"))
    second = call(lambda c: c.files.upload(file=b"2"))
    assert [f.id for f in call(lambda c: c.files.list(limit=1))] == [second.id]
    assert len(call.walk(lambda c: c.files.list_all(page_size=1).iter_items())) == 2


@scenario("files_get")
def get_file(call: Caller) -> None:
    file = call(lambda c: c.files.upload(file=b"1"))
    assert call(lambda c: c.files.get(file.id)) == file


@scenario("files_download")
def download_file(call: Caller) -> None:
    file = call(lambda c: c.files.upload(file=b"bytes"))
    assert call(lambda c: c.files.download(file.id)) == b"bytes"


@scenario("files_delete")
def delete_file(call: Caller) -> None:
    file = call(lambda c: c.files.upload(file=b"1"))
    call(lambda c: c.files.delete(file.id))
    with pytest.raises(NotFoundError):
        call(lambda c: c.files.get(file.id))


@scenario("workflows_list")
def list_workflows(call: Caller) -> None:
    found = {w.name: w for w in call(lambda c: c.workflows.list())}
    assert {"catalog_export", "catalog_import", "user_import"} <= found.keys()
    assert found["catalog_export"].input_schema["properties"]["format"]["enum"] == ["csv", "jsonl"]


@scenario("workflows_run")
def run_workflow(call: Caller) -> None:
    run = call(lambda c: c.workflows.run("catalog_export", input={"format": "jsonl"}))
    assert (run.workflow, run.status, run.input["format"]) == ("catalog_export", "queued", "jsonl")


@scenario("workflows_list_runs")
def list_runs(call: Caller) -> None:
    run = call(lambda c: c.workflows.run("catalog_export"))
    assert [r.id for r in call(lambda c: c.workflows.list_runs(workflow="catalog_export", limit=1))] == [run.id]
    assert [r.id for r in call.walk(lambda c: c.workflows.list_all_runs().iter_items())] == [run.id]


@scenario("workflows_get_run")
def get_run(call: Caller) -> None:
    run = call(lambda c: c.workflows.run("catalog_export"))
    assert call(lambda c: c.workflows.get_run(run.id)).id == run.id


@scenario("workflows_cancel_run")
def cancel_run(call: Caller) -> None:
    run = call(lambda c: c.workflows.run("catalog_import", input={"file_id": "file_none"}))
    try:
        assert call(lambda c: c.workflows.cancel_run(run.id)).status in {"cancelled", "running"}
    except ValidationError:  # the worker was faster
        assert call(lambda c: c.workflows.get_run(run.id)).status == "failed"


@scenario("auth_revoke")
def revoke(session: Caller) -> None:
    assert session(lambda c: c.auth.revoke(token="unknown", token_type_hint="refresh_token")) is None


@scenario("auth_introspect")
def introspect(session: Caller) -> None:
    assert session(lambda c: c.auth.introspect(token="unknown")).active is False


@scenario("auth_metadata")
def metadata(session: Caller) -> None:
    answer = session(lambda c: c.auth.metadata())
    assert answer.token_endpoint == f"{answer.issuer}/oauth/token"


@scenario("auth_jwks")
def jwks(session: Caller) -> None:
    assert [key["kty"] for key in session(lambda c: c.auth.jwks()).keys] == ["RSA"]


@pytest.mark.parametrize("platform", ["fake", "server"], indirect=True)
def test_a_run_is_waited_for(call: Caller) -> None:
    """From the start to its file, with the reported progress."""
    call(lambda c: c.products.create(name="Engine", sku="E-1", price=100))
    seen: list[str] = []
    run = call(lambda c: c.workflows.run("catalog_export", input={"format": "jsonl"}))
    ended = call(lambda c: c.workflows.wait(run, timeout=30, on_progress=lambda r: seen.append(r.status)))
    assert (ended.status, seen[-1], ended.progress) == ("succeeded", "succeeded", 1.0)
    assert call(lambda c: c.files.get(ended.result["file_id"])).name == "catalog.jsonl"


@pytest.mark.parametrize("platform", ["fake", "server"], indirect=True)
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_operation(name: str, call: Caller, session: Caller) -> None:
    """The operation works as the contract says, and each of its exchanges follows the spec."""
    SCENARIOS[name](session if name.startswith("auth_") else call)


def test_an_invalid_idempotency_key_is_named(judge: Judge, redcore_server: ReferenceServer, redcore_lab: Lab) -> None:
    """400 VALIDATION_ERROR also where there is no body to be wrong; the SDK itself sends no such key."""
    headers = {"Authorization": f"Bearer {redcore_server.api_key['api_key']}", "Idempotency-Key": "two words"}
    with judge.http() as http:
        answer = http.post(f"{redcore_server.base_url}/users/usr_1/invitation", headers=headers)

    assert answer.status_code == 400
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["Idempotency-Key"]


def test_every_operation_has_a_scenario() -> None:
    """No operation of the contract is left out."""
    described = {name for name in vars(operations) if name.partition("_")[0] in PREFIXES and callable_operation(name)}
    assert set(SCENARIOS) == described - ASKED_BY_THE_SDK_ITSELF


PREFIXES = {"users", "products", "workflows", "files", "api", "applications", "auth"}


def callable_operation(name: str) -> bool:
    function = getattr(operations, name)
    return callable(function) and getattr(function, "__module__", "") == operations.__name__
