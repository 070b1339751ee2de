"""The bearer grant of RFC 7522: what an application gets for an assertion, and what it does not get."""

from __future__ import annotations

import base64
from copy import deepcopy
from datetime import timedelta
from unittest.mock import AsyncMock

import anyio
import httpx
import pytest
from joserfc import jws
from structlog.testing import capture_logs
from tests.server.support.callers import rows
from tests.server.support.identity_provider import base64url, key_pair, serialized
from tests.server.support.saml_addresses import ACS, SAML_BEARER, TOKEN, Address, add_user, address_of
from tests.server.support.tenants import ISSUER, Client, make_organisation

from redcore_server.auth.app import Auth
from redcore_server.auth.credentials.applications import Applications
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

REFUSED = {"error": "invalid_grant", "error_description": "The assertion is not valid."}


@pytest.fixture
async def address(http: httpx.AsyncClient, stores: Stores, clock: Clock, client: Client) -> Address:
    return await address_of("assertion", http=http, stores=stores, clock=clock, client=client)


async def test_tokens_are_the_persons(address: Address, auth: Auth) -> None:
    """The subject is the user with that e-mail address; the API answers as that user."""
    answer = (await address.bring((await address.scene()).honest())).json()

    token = jws.extract_compact(answer["access_token"].encode())
    claims = httpx.Response(200, content=token.payload).json()
    assert (claims["sub"], claims["client_id"]) == (address.organisation.owner_id, address.client.id)
    assert claims["org"] == address.organisation.id
    assert answer["scope"] == "users:read users:write"
    principal = await auth.verifier.verify(answer["access_token"])
    assert principal.owner_id == address.organisation.owner_id


async def test_the_refresh_token_works(address: Address) -> None:
    """The person stays signed in as with every other grant."""
    answer = (await address.bring((await address.scene()).honest())).json()
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}

    again = await address.http.post("/oauth/token", data=form, auth=address.client.basic)

    assert again.status_code == 200


async def test_scope_is_narrowed(address: Address) -> None:
    """An application gets the requested scope within its own; a refusal does not use the assertion up."""
    document = (await address.scene()).honest()

    above = await address.bring(document, scope="users:read admin")
    narrowed = await address.bring(document, scope="users:read")

    assert (above.status_code, above.json()["error"]) == (400, "invalid_scope")
    assert narrowed.json()["scope"] == "users:read"


async def test_scope_is_limited_by_the_persons_role(address: Address, stores: Stores) -> None:
    """Without a requested scope the role's part is granted; a request beyond it is refused with a message."""
    await add_user(stores, address.organisation, "eve@example.com", "active")
    document = (await address.scene()).honest(name_id="eve@example.com")

    above = await address.bring(document, scope="users:write")
    granted = await address.bring(document)

    assert above.json()["error"] == "invalid_scope"
    assert granted.json()["scope"] == "users:read"


async def test_a_public_client_needs_only_its_name(address: Address, stores: Stores) -> None:
    """The assertion is the proof (RFC 7522 section 2.1: client authentication is optional)."""
    await rows(stores, "update applications set secret_hash = null where id = %s returning id", address.client.id)
    form = {"grant_type": SAML_BEARER, "assertion": base64url((await address.scene()).honest())}

    nameless = await address.http.post("/oauth/token", data=form)
    named = await address.http.post("/oauth/token", data={**form, "client_id": address.client.id})

    assert (nameless.status_code, nameless.json()["error"]) == (401, "invalid_client")
    assert named.status_code == 200


async def test_an_invited_person_becomes_active(address: Address, stores: Stores) -> None:
    """As when signing in with a browser."""
    user_id = await add_user(stores, address.organisation, "eve@example.com", "pending_invite")

    answer = await address.bring((await address.scene()).honest(name_id="eve@example.com"))

    assert answer.status_code == 200
    assert await rows(stores, "select status from users where id = %s", user_id) == [{"status": "active"}]


@pytest.mark.parametrize("address_of_it", [TOKEN, ACS])
async def test_a_response_may_be_meant_for_either_address(address: Address, address_of_it: str) -> None:
    """Identity providers address a whole response to the consumer service; an application may present it, too."""
    scene = await address.scene()
    statement = scene.statement(recipient=address_of_it)
    response = scene.provider.response(scene.provider.assertion(statement), statement, destination=address_of_it)

    answer = await address.bring(serialized(response))

    assert answer.status_code == 200


async def test_a_response_signed_as_a_whole_is_enough(address: Address) -> None:
    """The assertion in it is covered by the signature around it."""
    scene = await address.scene()
    statement = scene.statement()

    answer = await address.bring(
        serialized(scene.provider.sign(scene.provider.response(statement.element(), statement)))
    )

    assert answer.status_code == 200


async def test_a_bare_assertion_must_be_meant_for_the_token_endpoint(address: Address) -> None:
    """RFC 7522 section 3: one addressed to the consumer service was made for a browser."""
    scene = await address.scene()

    with capture_logs() as log:
        answer = await address.bring(scene.honest(recipient=ACS))

    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert log[0]["reason"] == f"its recipient {ACS} is not this address"


async def test_an_answer_to_a_browser_is_not_for_applications(address: Address) -> None:
    """A response stolen from a browser is refused at the token endpoint, and so is the assertion in it."""
    scene = await address.scene()
    answering = scene.statement(in_response_to="_request")
    documents = [
        scene.provider.assertion(answering),
        scene.provider.response(scene.provider.assertion(answering), scene.statement()),
        scene.provider.response(scene.provider.assertion(scene.statement()), answering),
    ]

    with capture_logs() as log:
        answers = [await address.bring(serialized(document)) for document in documents]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(400, REFUSED)] * 3
    assert [line["reason"] for line in log] == ["it answers a request, and this address makes none"] * 3


async def test_either_audience_is_accepted(address: Address) -> None:
    """RFC 7522 section 3 allows the token endpoint's address beside the entity id."""
    answer = await address.bring((await address.scene()).honest(audience=TOKEN))

    assert answer.status_code == 200


async def test_padding_makes_no_difference(address: Address) -> None:
    """Base64url is accepted with and without it."""
    document = (await address.scene()).honest()
    document += b" " * (-len(document) % 3 + 1)
    encoded = base64.urlsafe_b64encode(document).decode()
    assert encoded.endswith("=")

    answer = await address.bring(document, assertion=encoded)

    assert answer.status_code == 200


@pytest.mark.parametrize("assertion", ["a", "YWJj*", "YWJj+/", "ä"])
async def test_an_assertion_that_is_not_base64url_is_refused(address: Address, assertion: str) -> None:
    """No encoding is guessed."""
    with capture_logs() as log:
        answer = await address.bring(b"", assertion=assertion)

    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert log[0]["reason"] == "it is not base64url"


async def test_a_missing_assertion_is_an_invalid_request(address: Address) -> None:
    """RFC 6749 section 5.2."""
    answer = await address.http.post("/oauth/token", data={"grant_type": SAML_BEARER}, auth=address.client.basic)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_ten_megabytes_are_refused_unread(address: Address) -> None:
    """The size is checked before anything is decoded or parsed."""
    answer = await address.bring((await address.scene()).honest() + b" " * 10_000_000)

    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


async def test_an_assertion_can_be_used_once(address: Address) -> None:
    """A second use is refused, and so is the same assertion in a response around it."""
    scene = await address.scene()
    statement = scene.statement()
    assertion = scene.provider.assertion(statement)
    wrapped = serialized(scene.provider.response(deepcopy(assertion), statement))

    first = await address.bring(scene.document(assertion))
    with capture_logs() as log:
        later = [await address.bring(document) for document in (serialized(assertion), wrapped)]

    assert first.status_code == 200
    assert [(answer.status_code, answer.json()) for answer in later] == [(400, REFUSED)] * 2
    assert [line["reason"] for line in log] == [f"assertion {statement.id} was used before"] * 2


async def test_an_assertion_stays_used_when_redis_loses_its_data(address: Address, stores: Stores) -> None:
    """Its tokens are gone with Redis; no one else gets others for it."""
    document = (await address.scene()).honest()
    assert (await address.bring(document)).status_code == 200

    await stores.redis.flushdb()

    assert (await address.bring(document)).json() == REFUSED


async def test_used_assertions_are_forgotten_once_none_as_old_is_valid(
    address: Address, stores: Stores, clock: Clock
) -> None:
    """So that the table does not grow without end."""
    await rows(stores, "delete from used_assertions returning name")
    await address.bring((await address.scene()).honest())
    clock.advance(3 * 24 * 3600)

    await address.bring((await address.scene()).honest())

    assert len(await rows(stores, "select name from used_assertions")) == 1


async def test_of_twenty_uses_at_once_exactly_one_succeeds(address: Address) -> None:
    """Marking an assertion as used is one atomic step."""
    document = (await address.scene()).honest()
    answers: list[httpx.Response] = []

    async def bring() -> None:
        answers.append(await address.bring(document))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(bring)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19


async def test_a_client_of_another_organisation_is_refused(address: Address, stranger: Client) -> None:
    """And the assertion is not used up for the right one."""
    document = (await address.scene()).honest()
    form = {"grant_type": SAML_BEARER, "assertion": base64url(document)}

    with capture_logs() as log:
        refused = await address.http.post("/oauth/token", data=form, auth=stranger.basic)

    assert (refused.status_code, refused.json()) == (400, REFUSED)
    assert log[0]["reason"] == "the client belongs to another organisation"
    assert (await address.bring(document)).status_code == 200


async def test_a_client_must_authenticate(address: Address, stranger: Client) -> None:
    """A confidential client without its secret is refused, whatever it presents."""
    form = {"grant_type": SAML_BEARER, "assertion": "x", "client_id": address.client.id}

    answers = [
        await address.http.post("/oauth/token", data=form),
        await address.http.post("/oauth/token", data={**form, "client_secret": stranger.secret}),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(401, "invalid_client")] * 2


async def test_an_inactive_user_is_refused(address: Address, stores: Stores) -> None:
    """The identity provider may still know the person; the organisation has deactivated the user."""
    await add_user(stores, address.organisation, "eve@example.com", "inactive")

    with capture_logs() as log:
        answer = await address.bring((await address.scene()).honest(name_id="eve@example.com"))

    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert log[0]["reason"] == "its subject is not an active or invited user of the organisation"


async def test_a_user_of_another_organisation_is_unknown(address: Address, stores: Stores, clock: Clock) -> None:
    """An identity provider is trusted for its own organisation alone."""
    await add_user(stores, await make_organisation(stores, clock), "zoe@example.com", "active")

    assert (await address.bring((await address.scene()).honest(name_id="zoe@example.com"))).json() == REFUSED


@pytest.mark.parametrize("spelling", ["ADA@Example.com", " ada@example.com\n"])
async def test_an_address_is_compared_as_everywhere(address: Address, spelling: str) -> None:
    """Case and surrounding space do not matter."""
    assert (await address.bring((await address.scene()).honest(name_id=spelling))).status_code == 200


async def test_a_user_removed_meanwhile_gets_nothing(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is read once more after the grant was written, and decides."""
    monkeypatch.setattr(Applications, "granted", AsyncMock(return_value=None))

    with capture_logs() as log:
        answer = await address.bring((await address.scene()).honest())

    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert log[0]["reason"] == "its subject or the client was removed meanwhile"


async def test_the_clock_is_the_servers(address: Address, clock: Clock) -> None:
    """One clock is used, also when the lab has moved it; an expired assertion gets a minute of leeway."""
    scene = await address.scene()
    documents = [scene.honest(), scene.honest()]
    clock.advance(timedelta(minutes=5, seconds=59).total_seconds())
    late = await address.bring(documents[0])
    clock.advance(2)
    too_late = await address.bring(documents[1])

    assert (late.status_code, too_late.status_code) == (200, 400)


async def test_either_of_two_certificates_is_accepted(address: Address, stores: Stores) -> None:
    """While an identity provider changes its key, both are valid."""
    certificates = [key_pair("second")[1], address.provider.certificate]
    await rows(
        stores,
        "update identity_providers set certificates = %s where organisation_id = %s returning entity_id",
        certificates,
        address.organisation.id,
    )

    assert (await address.bring((await address.scene()).honest())).status_code == 200


async def test_the_metadata_list_the_grant(http: httpx.AsyncClient) -> None:
    """RFC 8414: clients discover it."""
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()

    assert SAML_BEARER in metadata["grant_types_supported"]
    assert metadata["token_endpoint"] == f"{ISSUER}/oauth/token"
