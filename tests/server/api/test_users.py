"""Users and the caller's own profile, through the gateway on real stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest
from tests.server.support.callers import Callers, rows
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.people.person import email_key
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def create(caller: httpx.AsyncClient, email: str = "grace@example.com", **fields: str) -> dict[str, Any]:
    response = await caller.post("/v1/users", json={"email": email, "name": "Grace Hopper", **fields})
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


@pytest.fixture
async def credentials(
    caller: httpx.AsyncClient, callers: Callers, http: httpx.AsyncClient, client: Client
) -> list[httpx.AsyncClient]:
    """Return clients with an API key and with an access token of the organisation's admin."""
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    tokens = (await http.post("/oauth/token", data=form, auth=client.basic)).json()
    return [caller, await callers.bearing(tokens["access_token"])]


async def accept(stores: Stores, user_id: str) -> None:
    """Accept the invitation as its page does."""
    async with stores.postgres.connection() as connection:
        await connection.execute(
            "update users set status = 'active', accepted_at = created_at where id = %s", (user_id,)
        )


async def pending_jobs(stores: Stores, user_id: str) -> list[str]:
    """Return the ids of a user's valid invitations whose job exists."""
    found = await rows(
        stores,
        """select invitations.id from invitations join procrastinate_jobs jobs
           on jobs.args ->> 'invitation_id' = invitations.id
           where invitations.user_id = %s and invitations.voided_at is null""",
        user_id,
    )
    return [row["id"] for row in found]


def error(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


async def test_a_created_user_is_pending_and_its_invitation_is_on_its_way(
    caller: httpx.AsyncClient, stores: Stores
) -> None:
    """201 with Location; row, 48 h invitation and job are written together."""
    response = await caller.post("/v1/users", json={"email": "grace@example.com", "name": "Grace"})

    user = response.json()["data"]
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/users/{user['id']}"
    assert user == {
        "id": user["id"],
        "email": "grace@example.com",
        "name": "Grace",
        "role": "viewer",
        "status": "pending_invite",
        "invitation_sent_at": None,
        "created_at": user["created_at"],
        "updated_at": user["created_at"],
    }
    assert datetime.fromisoformat(user["created_at"]).tzinfo == UTC
    assert user["created_at"].endswith("Z")
    assert len(await pending_jobs(stores, user["id"])) == 1
    invitation = (await rows(stores, "select * from invitations where user_id = %s", user["id"]))[0]
    assert invitation["expires_at"] - invitation["created_at"] == timedelta(hours=48)


async def test_a_created_user_is_found(caller: httpx.AsyncClient) -> None:
    """GET returns what POST returned."""
    user = await create(caller, role="editor")

    response = await caller.get(f"/v1/users/{user['id']}")

    assert (response.status_code, response.json()["data"]) == (200, user)


@pytest.mark.parametrize("spelling", ["grace@example.com", "GRACE@Example.COM"])
async def test_an_email_is_unique_in_any_case(caller: httpx.AsyncClient, spelling: str) -> None:
    """The second user with an address is a duplicate, however it is written."""
    await create(caller)

    response = await caller.post("/v1/users", json={"email": spelling, "name": "Other"})

    expected = (409, "DUPLICATE_RESOURCE", f"A user with the e-mail {spelling} exists already.")
    assert error(response) == expected


def test_an_email_key_is_the_same_for_every_unicode_form() -> None:
    """NFKC, then casefold: this value is compared by PostgreSQL."""
    assert email_key("\N{FULLWIDTH LATIN SMALL LETTER A}DA@Exämple.com") == email_key("ada@exa\u0308mple.COM")


async def test_two_clients_creating_one_email_at_once_make_one_user(caller: httpx.AsyncClient) -> None:
    """Of 16 concurrent requests exactly one gets 201, all others 409: the unique index decides."""
    attempts = [
        caller.post("/v1/users", json={"email": f"{'gG'[n % 2]}race@example.com", "name": "G"}) for n in range(16)
    ]

    statuses = [response.status_code for response in await asyncio.gather(*attempts)]

    assert sorted(statuses) == [201, *[409] * 15]
    assert (await caller.get("/v1/users", params={"q": "race@"})).json()["meta"]["total"] == 1


async def test_a_refused_duplicate_leaves_no_job(caller: httpx.AsyncClient, stores: Stores) -> None:
    """The job is in the same transaction as the row."""
    user = await create(caller)
    before = await rows(stores, "select count(*) as jobs from procrastinate_jobs")

    await caller.post("/v1/users", json={"email": user["email"], "name": "Other"})

    assert await rows(stores, "select count(*) as jobs from procrastinate_jobs") == before


async def test_pagination_lists_users_newest_first_without_overlap(caller: httpx.AsyncClient) -> None:
    """Pages by limit and offset contain every user once, in the order of their creation."""
    created = [(await create(caller, f"user{n}@example.com"))["id"] for n in range(5)]

    pages = [(await caller.get("/v1/users", params={"limit": 2, "offset": offset})).json() for offset in (0, 2, 4, 6)]

    listed = [user["id"] for page in pages for user in page["data"]]
    me = (await caller.get("/v1/me")).json()["data"]["id"]
    assert listed == [*reversed(created), me]
    assert [page["meta"]["total"] for page in pages] == [6, 6, 6, 6]
    assert [(page["meta"]["limit"], page["meta"]["offset"]) for page in pages] == [(2, 0), (2, 2), (2, 4), (2, 6)]


async def test_users_of_one_moment_are_ordered_by_id(
    caller: httpx.AsyncClient, organisation: Organisation, stores: Stores
) -> None:
    """A tie is broken the same way on each page."""
    ids = [(await create(caller, f"user{n}@example.com"))["id"] for n in range(4)]
    async with stores.postgres.connection() as connection:
        moment = datetime(2100, 1, 1, tzinfo=UTC)
        await connection.execute("update users set created_at = %s where id = any(%s)", (moment, ids))

    listed = [
        (await caller.get("/v1/users", params={"limit": 1, "offset": offset})).json()["data"][0]["id"]
        for offset in range(4)
    ]

    assert listed == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role": "editor"}, ["edi@example.com"]),
        ({"status": "active"}, ["ada@example.com"]),
        ({"q": "ÄNNE"}, ["percent@example.com"]),
        ({"q": "EDI@EX"}, ["edi@example.com"]),
        ({"q": "%"}, ["percent@example.com"]),
        ({"q": "_"}, ["under_score@example.com"]),
        ({"q": "\\"}, []),
        ({"q": "score", "role": "viewer", "status": "pending_invite"}, ["under_score@example.com"]),
        ({"q": "score", "role": "editor"}, []),
    ],
)
async def test_filters_and_search_narrow_the_list(
    caller: httpx.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    """`q` is a part of name or e-mail in any case; wildcards of LIKE are plain characters."""
    await create(caller, "edi@example.com", role="editor")
    await create(caller, "percent@example.com", name="100 % Änne")
    await create(caller, "under_score@example.com")

    page = (await caller.get("/v1/users", params=query)).json()

    assert [user["email"] for user in page["data"]] == found
    assert page["meta"]["total"] == len(found)


async def test_a_larger_limit_counts_as_100(caller: httpx.AsyncClient) -> None:
    """Clamped, never an error (contract section 3); the default is 20."""
    assert (await caller.get("/v1/users", params={"limit": 10**30})).json()["meta"]["limit"] == 100
    assert (await caller.get("/v1/users")).json()["meta"]["limit"] == 20


async def test_an_update_changes_only_the_given_fields(caller: httpx.AsyncClient, clock: Clock) -> None:
    """The rest stays, `updated_at` changes."""
    user = await create(caller)
    clock.advance(60)

    after = (await caller.patch(f"/v1/users/{user['id']}", json={"role": "admin"})).json()["data"]

    assert after == {**user, "role": "admin", "updated_at": after["updated_at"]}
    assert after["updated_at"] > user["updated_at"]


async def test_an_empty_update_changes_nothing(caller: httpx.AsyncClient, clock: Clock) -> None:
    """Not even `updated_at`."""
    user = await create(caller)
    clock.advance(60)

    response = await caller.patch(f"/v1/users/{user['id']}", json={})

    assert (response.status_code, response.json()["data"]) == (200, user)


async def test_an_update_to_a_taken_email_is_a_duplicate(caller: httpx.AsyncClient) -> None:
    """The same unique index applies to changes; one's own address is not a duplicate."""
    user = await create(caller)

    taken = await caller.patch(f"/v1/users/{user['id']}", json={"email": "ADA@example.com", "name": "New"})
    own = await caller.patch(f"/v1/users/{user['id']}", json={"email": "Grace@example.com"})

    assert error(taken) == (409, "DUPLICATE_RESOURCE", "A user with the e-mail ADA@example.com exists already.")
    assert (own.status_code, own.json()["data"]["name"]) == (200, "Grace Hopper")


async def test_a_new_email_of_a_pending_user_gets_a_new_invitation(caller: httpx.AsyncClient, stores: Stores) -> None:
    """The link that was sent to the old address is void; otherwise its reader could take the user over."""
    user = await create(caller)
    before = await pending_jobs(stores, user["id"])

    await caller.patch(f"/v1/users/{user['id']}", json={"email": "hopper@example.com"})

    after = await pending_jobs(stores, user["id"])
    assert (len(before), len(after), set(before) & set(after)) == (1, 1, set())


async def test_a_pending_user_cannot_be_made_active(caller: httpx.AsyncClient) -> None:
    """Only accepting the invitation activates a user."""
    user = await create(caller)

    response = await caller.patch(f"/v1/users/{user['id']}", json={"status": "active"})

    assert error(response) == (
        422,
        "BUSINESS_RULE_VIOLATION",
        "A user becomes active by accepting the invitation; send it again instead.",
    )


async def test_an_accepted_user_can_be_locked_out_and_readmitted(caller: httpx.AsyncClient, stores: Stores) -> None:
    """Inactive, then active."""
    user = await create(caller)
    await accept(stores, user["id"])

    statuses = [
        (await caller.patch(f"/v1/users/{user['id']}", json={"status": status})).json()["data"]["status"]
        for status in ("inactive", "active")
    ]

    assert statuses == ["inactive", "active"]


async def test_pending_invite_cannot_be_set(caller: httpx.AsyncClient) -> None:
    """It is set by inviting, not by a PATCH."""
    user = await create(caller)

    response = await caller.patch(f"/v1/users/{user['id']}", json={"status": "pending_invite"})

    assert response.json()["error"]["details"] == [{"field": "status", "issue": "must be one of active, inactive"}]


@pytest.mark.parametrize("how", ["inactive", "deleted"])
async def test_locking_a_user_out_ends_its_tokens_and_keys_at_once(
    how: str, credentials: list[httpx.AsyncClient], callers: Callers, organisation: Organisation, stores: Stores
) -> None:
    """The very next request with any of the user's credentials is refused."""
    successor = await create(credentials[0], role="admin")
    await accept(stores, successor["id"])
    other = await callers.of(Organisation(organisation.id, successor["id"]))
    assert [(await theirs.get("/v1/users")).status_code for theirs in credentials] == [200, 200]

    path = f"/v1/users/{organisation.owner_id}"
    response = await (other.delete(path) if how == "deleted" else other.patch(path, json={"status": "inactive"}))

    assert response.status_code == (204 if how == "deleted" else 200)
    assert [(await theirs.get("/v1/users")).status_code for theirs in credentials] == [401, 401]


async def test_making_a_pending_user_inactive_voids_the_link(caller: httpx.AsyncClient, stores: Stores) -> None:
    """No one can sign up with a link that was mailed before."""
    user = await create(caller)

    await caller.patch(f"/v1/users/{user['id']}", json={"status": "inactive"})

    assert await pending_jobs(stores, user["id"]) == []


async def test_a_deleted_user_is_gone(caller: httpx.AsyncClient) -> None:
    """204 without a body, then 404; the address is free again."""
    user = await create(caller)
    path = f"/v1/users/{user['id']}"

    deleted, again, got = await caller.delete(path), await caller.delete(path), await caller.get(path)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert error(again) == (404, "RESOURCE_NOT_FOUND", f"User {user['id']} does not exist.")
    assert error(got) == error(again)
    await create(caller)


@pytest.mark.parametrize("change", [{"status": "inactive"}, {"role": "viewer"}, None])
async def test_the_last_active_admin_stays(
    caller: httpx.AsyncClient, organisation: Organisation, change: dict[str, str] | None
) -> None:
    """Otherwise the organisation could never be administered again; a pending admin does not count."""
    await create(caller, role="admin")
    path = f"/v1/users/{organisation.owner_id}"

    response = await (caller.patch(path, json=change) if change else caller.delete(path))

    assert error(response) == (
        422,
        "BUSINESS_RULE_VIOLATION",
        "This is the organisation's last active administrator; appoint another one first.",
    )


async def test_two_admins_who_remove_each_other_concurrently_leave_one(
    callers: Callers, caller: httpx.AsyncClient, organisation: Organisation, stores: Stores
) -> None:
    """The second waits for the first, and is no longer an administrator."""
    other = (await create(caller, role="admin"))["id"]
    await accept(stores, other)
    other_caller = await callers.of(attrs.evolve(organisation, owner_id=other))

    responses = await asyncio.gather(
        caller.patch(f"/v1/users/{other}", json={"role": "editor"}),
        other_caller.patch(f"/v1/users/{organisation.owner_id}", json={"role": "editor"}),
    )

    assert sorted(response.status_code for response in responses) == [200, 403]


async def test_an_admin_who_removes_all_admins_concurrently_stays(
    caller: httpx.AsyncClient, organisation: Organisation, stores: Stores
) -> None:
    """Or removes themselves first, and then no one else: one is left."""
    other = (await create(caller, role="admin"))["id"]
    await accept(stores, other)

    responses = await asyncio.gather(
        *(caller.patch(f"/v1/users/{user_id}", json={"role": "editor"}) for user_id in (other, organisation.owner_id))
    )

    assert sorted(response.status_code for response in responses) in ([200, 403], [200, 422])


async def test_resending_makes_a_new_link_and_voids_the_old(caller: httpx.AsyncClient, stores: Stores) -> None:
    """202 with the user and its path."""
    user = await create(caller)
    before = await pending_jobs(stores, user["id"])

    response = await caller.post(f"/v1/users/{user['id']}/invitation")

    after = await pending_jobs(stores, user["id"])
    assert (response.status_code, response.json()["data"]) == (202, user)
    assert response.headers["Location"] == f"/v1/users/{user['id']}"
    assert (len(after), set(before) & set(after)) == (1, set())


async def test_an_active_user_cannot_be_invited_again(caller: httpx.AsyncClient, organisation: Organisation) -> None:
    """The request is well-formed but not allowed."""
    response = await caller.post(f"/v1/users/{organisation.owner_id}/invitation")

    expected = (422, "BUSINESS_RULE_VIOLATION", "An active user cannot be invited again.")
    assert error(response) == expected


async def test_me_is_the_owner_of_the_credential(caller: httpx.AsyncClient, organisation: Organisation) -> None:
    """GET and PATCH of `/v1/me` are about that user, and only the name can be changed there."""
    changed = await caller.patch("/v1/me", json={"name": "Ada King"})
    refused = await caller.patch("/v1/me", json={"role": "viewer"})

    me = (await caller.get("/v1/me")).json()["data"]
    assert (me["id"], me["name"]) == (organisation.owner_id, "Ada King")
    assert changed.json()["data"] == me
    assert refused.json()["error"]["details"] == [{"field": "role", "issue": "is not a field of this request"}]


async def test_a_long_id_is_quoted_in_part(caller: httpx.AsyncClient) -> None:
    """Each of its characters may take six in JSON, so that the answer would be longer than the request."""
    response = await caller.get(f"/v1/users/{'%01' * 20_000}")

    assert response.json()["error"]["message"] == f"User {chr(1) * 100}… does not exist."


@pytest.mark.parametrize("user_id", ["usr_1", "..%2Fme", "%2e%2e", "a%2Fb", "%00", "%F0%9F%92%A9", "x" * 5000])
async def test_an_invalid_id_is_not_found(caller: httpx.AsyncClient, user_id: str) -> None:
    """Any text in the place of an id is an unknown id."""
    response = await caller.get(f"/v1/users/{user_id}")

    assert (response.status_code, response.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
