"""A property, not a list: whatever people and programs of two organisations do, no one gets more than an admin gave.

The model knows of each person the role that was given by an actor who may give it, and of each credential its owner and
its scopes. The server may refuse more than the model does, but it never allows more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.server.support.authority import ALL, ROLES, App, Credential, Import, Person, T, World, opened
from tests.server.support.authorizing import CALLBACK, Flow, signed_in
from tests.server.support.callers import rows
from tests.server.support.tenants import Addresses, Client, make_organisation

from redcore_server.auth.people.invitation_acceptance import Acceptance
from redcore_server.contract import spec
from redcore_server.errors import InvalidToken
from redcore_server.invitations.link import invitation_token, link_secret
from redcore_server.workflows import WORKFLOWS

CLERK: Final = ["workflows:write", "files:write", "files:read", "users:write"]
SCOPE_SETS: Final = st.sampled_from(
    [
        ["admin"],
        ["users:write", "users:read"],
        CLERK,
        ["workflows:write", "files:write", "files:read"],
        ["products:read"],
    ]
)
BODIES: Final = {
    "users_update_me": {"name": "P"},
    "products_create": {"name": "p", "sku": "p", "price": 1},
    "products_update": {"price": 2},
}
SIMPLE: Final = (  # one request that needs one scope, and the id of one object at most
    *("users_get_me", "users_update_me", "users_list", "users_get"),
    *("products_list", "products_create", "products_get", "products_update", "products_delete"),
    *("workflows_list", "workflows_list_runs", "workflows_get_run", "workflows_cancel_run"),
    *("files_list", "files_get", "files_download", "files_delete"),
    *("api_keys_list", "api_keys_revoke", "applications_list", "applications_rotate_secret", "applications_delete"),
)
RULES: Final[dict[str, tuple[str, ...]]] = {
    "create_user": ("users_create",),
    "import_user": ("files_upload", "workflows_run"),
    "give_role": ("users_update",),
    "delete_user": ("users_delete",),
    "resend": ("users_resend_invitation",),
    "create_key": ("api_keys_create",),
    "create_application": ("applications_create",),
    "client_credentials": ("auth_token",),
    "sign_in": ("pages_authorize", "pages_consent"),
    "introspect": ("auth_introspect",),
    "revoke": ("auth_revoke",),
    "use": SIMPLE,
}
NOT_USED: Final = {
    "auth_device_authorization": "names an application only; what it asks for is granted as by pages_consent",
    "pages_device": "finds what a device asked for; granted as by pages_consent",
    "pages_device_confirm": "grants through the same function as pages_consent",
    "pages_invitation": "shows a form; the link is opened by the rule accept",
    "pages_invitation_accept": "its form sets a password; the rule accept does what is behind it",
    "pages_saml_login": "sends the browser away",
    "pages_saml_acs": "signs in a person who exists, as sign_in starts with; needs an identity provider",
    "pages_saml_metadata": "public",
    "auth_metadata": "public",
    "auth_jwks": "public",
    "health_live": "public",
    "health_ready": "public",
    "health_metrics": "public",
}


class Authority(RuleBasedStateMachine):
    """Two organisations, with everything that people and programs do in them."""

    world: ClassVar[World]
    people = Bundle("people")
    credentials = Bundle("credentials")
    apps = Bundle("apps")

    def __init__(self) -> None:
        super().__init__()
        self.everybody: list[Person] = []
        self.queued: list[Import] = []
        self.holders: list[Credential] = []
        self.things: list[tuple[str, str, str]] = []  # path parameter, id, organisation
        self.count = 0

    # Helpers.

    def _do(self, what: Awaitable[T]) -> T:
        self.world.clock.advance(7)  # no rate limit is in the way
        return self.world.do(what)

    def _call(self, actor: Credential, method: str, path: str, **given: Any) -> httpx.Response:
        return self._do(self.world.call(actor, method, path, **given))

    def _new_email(self) -> str:
        self.count += 1
        return f"p{self.count}@example.com"

    def _person(self, person_id: str, actor: Credential, role: str) -> Person:
        """Add a new person to the model: with the role if the actor may give it, otherwise with the least."""
        is_right = actor.may("users:write") and (role != "admin" or actor.may("admin"))
        person = Person(person_id, actor.owner.organisation, role if is_right else "viewer")
        self.everybody.append(person)
        self._thing("user_id", person_id, actor)
        return person

    def _thing(self, parameter: str, thing_id: str, actor: Credential) -> None:
        self.things.append((parameter, thing_id, actor.owner.organisation))

    def _holder(self, credential: Credential) -> Credential:
        self.holders.append(credential)
        return credential

    def _manages(self, actor: Credential, other: Person, *roles: str) -> bool:
        same = actor.owner.organisation == other.organisation
        return same and actor.may("users:write", *(["admin"] if "admin" in {other.role, *roles} else []))

    # Initial state.

    @initialize(target=credentials)
    def organisations(self) -> Any:
        keys = []
        for _ in range(2):
            organisation = self._do(make_organisation(self.world.stores, self.world.clock, plan="enterprise"))
            admin = Person(organisation.owner_id, organisation.id, "admin", is_active=True)
            self.everybody.append(admin)
            for scopes in (["admin"], ["users:read", "users:write"], CLERK):
                key = self._do(self.world.callers.key_for(organisation, *scopes))
                keys.append(self._holder(Credential(key, admin, frozenset(scopes))))
        return multiple(*keys)

    # Actions of people and programs.

    @rule(target=people, actor=credentials, role=st.sampled_from(ROLES))
    def create_user(self, actor: Credential, role: str) -> Any:
        answer = self._call(actor, "POST", "/v1/users", json={"email": self._new_email(), "name": "P", "role": role})
        return self._person(answer.json()["data"]["id"], actor, role) if answer.is_success else multiple()

    @rule(target=people, actor=credentials, role=st.sampled_from(ROLES), waits=st.booleans())
    def import_user(self, actor: Credential, role: str, waits: bool) -> Any:  # noqa: FBT001 - drawn
        email = self._new_email()
        file = self._call(actor, "POST", "/v1/files", files={"file": f"email,name,role\n{email},P,{role}\n".encode()})
        if not file.is_success:
            return multiple()
        self._thing("file_id", file.json()["data"]["id"], actor)
        given = {"input": {"file_id": file.json()["data"]["id"]}}
        run = self._call(actor, "POST", "/v1/workflows/user_import/runs", json=given)
        if not run.is_success:
            return multiple()
        assert actor.may("workflows:write", *WORKFLOWS["user_import"].scopes)
        self._thing("run_id", run.json()["data"]["id"], actor)
        self.queued.append(Import(run.json()["data"]["id"], actor, role, email))
        return multiple() if waits else self.do_import()

    @precondition(lambda self: self.queued)
    @rule(target=people)
    def do_import(self) -> Any:
        run = self.queued.pop(0)
        is_refused = self._do(self._is_refused(run.actor))
        self._do(self.world.work.run(run.id))
        sql = "select id from users where email = %s and organisation_id = %s"
        made = self._do(rows(self.world.stores, sql, run.email, run.actor.owner.organisation))
        if not made:
            return multiple()
        assert run.actor.may(*WORKFLOWS["user_import"].scopes)
        assert not is_refused or run.actor.app  # a key that is refused was revoked; a token may have been given back
        return self._person(made[0]["id"], run.actor, run.role)

    async def _is_refused(self, holder: Credential) -> bool:
        try:
            await self.world.auth.verifier.verify(holder.bearer)
        except InvalidToken:
            return True
        return False

    @rule(actor=credentials, other=people, role=st.sampled_from(ROLES))
    def give_role(self, actor: Credential, other: Person, role: str) -> None:
        answer = self._call(actor, "PATCH", f"/v1/users/{other.id}", json={"role": role})
        if answer.is_success and self._manages(actor, other, role):
            other.role = role

    @rule(actor=credentials, other=credentials, role=st.sampled_from(ROLES))
    def give_owner_role(self, actor: Credential, other: Credential, role: str) -> None:
        self.give_role(actor, other.owner, role)

    @rule(actor=credentials, other=people, status=st.sampled_from(["active", "inactive"]))
    def give_status(self, actor: Credential, other: Person, status: str) -> None:
        answer = self._call(actor, "PATCH", f"/v1/users/{other.id}", json={"status": status})
        if answer.is_success:
            assert self._manages(actor, other)
            other.is_active = status == "active"

    @rule(actor=credentials, other=people)
    def give_email(self, actor: Credential, other: Person) -> None:
        answer = self._call(actor, "PATCH", f"/v1/users/{other.id}", json={"email": self._new_email()})
        assert not answer.is_success or self._manages(actor, other)

    @rule(actor=credentials, other=consumes(people))
    def delete_user(self, actor: Credential, other: Person) -> None:
        if self._call(actor, "DELETE", f"/v1/users/{other.id}").is_success:
            assert self._manages(actor, other)
            other.is_gone = True

    @rule(actor=credentials, other=people)
    def resend(self, actor: Credential, other: Person) -> None:
        answer = self._call(actor, "POST", f"/v1/users/{other.id}/invitation")
        assert not answer.is_success or self._manages(actor, other)

    @rule(other=people)
    def accept(self, other: Person) -> None:
        if self._do(self._accepted(other)):
            other.is_active = True

    async def _accepted(self, other: Person) -> bool:
        stores = self.world.stores
        found = await rows(
            stores, "select id, expires_at from invitations where user_id = %s and voided_at is null", other.id
        )
        if not found:
            return False
        async with stores.postgres.connection() as connection:
            secret = await link_secret(connection)
        acceptance = Acceptance(stores.postgres, self.world.clock)
        token = invitation_token(found[0]["id"], expires_at=found[0]["expires_at"], secret=secret)
        invitation = await acceptance.find(token)
        return invitation is not None and await acceptance.accept(invitation, password_hash="x", factor=None)

    @rule(target=credentials, actor=credentials, scopes=SCOPE_SETS)
    def create_key(self, actor: Credential, scopes: list[str]) -> Any:
        answer = self._call(actor, "POST", "/v1/api-keys", json={"name": "k", "scopes": scopes})
        if not answer.is_success:
            return multiple()
        assert actor.may("admin")
        self._thing("key_id", answer.json()["data"]["id"], actor)
        return self._holder(Credential(answer.json()["data"]["key"], actor.owner, frozenset(scopes)))

    @rule(target=apps, actor=credentials, scopes=SCOPE_SETS)
    def create_application(self, actor: Credential, scopes: list[str]) -> Any:
        given = {"name": "a", "scopes": scopes, "redirect_uris": [CALLBACK]}
        answer = self._call(actor, "POST", "/v1/applications", json=given)
        if not answer.is_success:
            return multiple()
        assert actor.may("admin")
        made = answer.json()["data"]
        self._thing("application_id", made["id"], actor)
        return App(Client(made["id"], made["client_secret"]), actor.owner, frozenset(scopes))

    @rule(target=credentials, app=apps)
    def client_credentials(self, app: App) -> Any:
        data = {"grant_type": "client_credentials"}
        answer = self._do(self.world.http.post("/oauth/token", data=data, auth=app.client.basic))
        return self._token(answer, app, app.owner)

    @rule(target=credentials, app=apps, person=people)
    def sign_in(self, app: App, person: Person) -> Any:
        if not person.is_active or person.is_gone or person.organisation != app.owner.organisation:
            return multiple()
        answer = self._do(self._signed_in(app, person))
        return multiple() if answer is None else self._token(answer, app, person)

    async def _signed_in(self, app: App, person: Person) -> httpx.Response | None:
        world = self.world
        flow = Flow(await signed_in(world.http, world.stores, world.clock, person.id), app.client)
        page = await flow.ask()
        if "decision" not in page.text or 'value="allow"' not in page.text:  # nothing that could be granted
            return None
        back = await flow.browser.fill(page, "consent", decision="allow")
        code = httpx.URL(back.headers["Location"]).params["code"]
        return await flow.redeem(code)

    def _token(self, answer: httpx.Response, app: App, owner: Person) -> Any:
        if not answer.is_success:
            return multiple()
        tokens = answer.json()
        return self._holder(
            Credential(tokens["access_token"], owner, app.scopes, app=app, refresh=tokens["refresh_token"])
        )

    @rule(holder=credentials)
    def refresh(self, holder: Credential) -> None:
        if holder.app is None:
            return
        data = {"grant_type": "refresh_token", "refresh_token": holder.refresh}
        answer = self._do(self.world.http.post("/oauth/token", data=data, auth=holder.app.client.basic))
        if answer.is_success:
            holder.bearer, holder.refresh = answer.json()["access_token"], answer.json()["refresh_token"]

    @rule(app=apps, other=credentials)
    def introspect(self, app: App, other: Credential) -> None:
        answer = self._do(
            self.world.http.post("/oauth/introspect", data={"token": other.bearer}, auth=app.client.basic)
        )
        introspection: dict[str, Any] = answer.json() if answer.is_success else {"active": False}
        if introspection["active"]:
            reached = frozenset(introspection["scope"].split())
            assert (ALL if "admin" in reached else reached) <= other.bound()

    @rule(app=apps, other=credentials)
    def revoke(self, app: App, other: Credential) -> None:
        self._do(self.world.http.post("/oauth/revoke", data={"token": other.bearer}, auth=app.client.basic))
        if other.app is app:
            other.scopes = frozenset()

    @rule(actor=credentials, operation_id=st.sampled_from(SIMPLE), which=st.integers(0, 9))
    def use(self, actor: Credential, operation_id: str, which: int) -> None:
        operation, whose = spec.load().operations[operation_id], actor.owner.organisation
        path = operation.path
        if "{" in path:
            parameter = path.partition("{")[2].partition("}")[0]
            if not (things := [thing for thing in self.things if thing[0] == parameter]):
                return
            _, thing_id, whose = things[which % len(things)]
            path = path.replace(f"{{{parameter}}}", thing_id)
        answer = self._call(actor, operation.method, path, json=BODIES.get(operation_id))
        assert not answer.is_success or (actor.may(operation.scope or "") and whose == actor.owner.organisation)
        if answer.is_success and operation_id == "products_create":
            self._thing("product_id", answer.json()["data"]["id"], actor)

    # Invariants after each step.

    @invariant()
    def no_one_exceeds_what_was_given(self) -> None:
        self.world.do(self._check_people())
        self.world.do(self._check_holders())

    async def _check_people(self) -> None:
        ids = [person.id for person in self.everybody]
        found = {row["id"]: row for row in await rows(self.world.stores, "select * from users where id = any(%s)", ids)}
        for person in self.everybody:
            if row := found.get(person.id):
                assert ROLES.index(row["role"]) <= ROLES.index(person.role)
                assert row["status"] != "active" or person.is_active

    async def _check_holders(self) -> None:
        for holder in self.holders:
            try:
                principal = await self.world.auth.verifier.verify(holder.bearer)
            except InvalidToken:
                continue
            reached = ALL if "admin" in principal.scopes else principal.scopes
            assert reached <= holder.bound(), (reached - holder.bound(), holder)
            assert principal.organisation_id == holder.owner.organisation


@pytest.fixture
def world(addresses: Addresses, tmp_path: Path) -> Iterator[World]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield runner.run(opened(runner, stack, addresses, tmp_path))
        runner.run(stack.aclose())


def prove(world: World, *, examples: int, steps: int) -> None:
    machine = type("AuthorityOfWorld", (Authority,), {"world": world})
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_operation_is_used() -> None:
    """By a rule, or there is a reason why it grants nothing that another rule does not."""
    used = [operation for operations in RULES.values() for operation in operations]

    assert sorted([*used, *NOT_USED]) == sorted(spec.load().operations)
    assert all(hasattr(getattr(Authority, name), "hypothesis_stateful_rule") for name in RULES)


def test_authority_never_grows(world: World) -> None:
    """In a few hundred steps, the same in each run."""
    prove(world, examples=12, steps=25)


@pytest.mark.long
def test_authority_never_grows_in_long_histories(world: World) -> None:
    """In many thousand steps."""
    prove(world, examples=300, steps=60)
