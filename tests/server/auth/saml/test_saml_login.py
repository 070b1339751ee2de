"""Signing in at an identity provider with a browser: the request, the answer, and every failure on the way."""

from __future__ import annotations

import base64
import html
import re
from datetime import datetime
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

import attrs
import httpx
import pytest
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from starlette.types import ASGIApp
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from tests.server.support.callers import rows
from tests.server.support.identity_provider import serialized
from tests.server.support.saml_addresses import ACS, ENTITY_ID, Address, add_user, address_of, request_of, trust
from tests.server.support.tenants import ISSUER, Client, make_organisation

from redcore_server.auth.people.sessions import Sessions
from redcore_server.auth.saml.routes import cookie_attributes
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def why(address: Address, document: bytes) -> str:
    """Return why a document is refused, according to the log."""
    with capture_logs() as log:
        assert not address.is_welcome(await address.bring(document))
    return str(log[0]["reason"])


SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


@pytest.fixture
async def address(http: httpx.AsyncClient, stores: Stores, clock: Clock, client: Client) -> Address:
    return await address_of("browser", http=http, stores=stores, clock=clock, client=client)


async def test_metadata_describe_the_service_provider(http: httpx.AsyncClient) -> None:
    """An administrator of an identity provider finds all that is needed; python3-saml finds them valid."""
    response = await http.get("/saml/metadata.xml")

    assert response.headers["Content-Type"] == "application/samlmetadata+xml"
    assert f'entityID="{ENTITY_ID}"' in response.text
    assert f'Location="{ACS}"' in response.text
    assert 'WantAssertionsSigned="true"' in response.text
    assert "nameid-format:emailAddress" in response.text
    assert "validUntil" not in response.text
    settings = {"sp": {"entityId": ENTITY_ID, "assertionConsumerService": {"url": ACS}}}
    judge = OneLogin_Saml2_Settings(settings, sp_validation_only=True)
    assert judge.validate_metadata(response.text) == []


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/xml", "text/xml; charset=utf-8"),
        ("Text/XML; q=0.9", "text/xml; charset=utf-8"),
        ("*/*", "application/samlmetadata+xml"),
        ("text/html,text/xml", "application/samlmetadata+xml"),
    ],
)
async def test_metadata_are_text_for_a_client_that_asks_for_it(
    http: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    """Generated clients know no media type of SAML."""
    response = await http.get("/saml/metadata.xml", headers={"Accept": accept})

    assert (response.status_code, response.headers["Content-Type"]) == (200, media_type)


async def test_login_asks_the_identity_provider(address: Address, clock: Clock) -> None:
    """It names service provider, address for the answer and form of the name; the provider's own query is kept."""
    response = await address.http.get("/saml/login", params={"organisation": address.organisation.id})

    target = urlsplit(response.headers["Location"])
    assert (response.status_code, f"{target.scheme}://{target.netloc}{target.path}") == (
        302,
        "https://idp.example.com/sso",
    )
    assert parse_qsl(target.query)[:2] == [("tenant", "1"), ("lang", "en")]
    request = request_of(response)
    assert request.tag == f"{SAMLP}AuthnRequest"
    assert request.get("AssertionConsumerServiceURL") == ACS
    assert request.get("Destination") == address.provider.sso_url
    assert request.findtext(f"{SAML}Issuer") == ENTITY_ID
    assert abs((datetime.fromisoformat(request.get("IssueInstant", "")) - clock.now()).total_seconds()) < 60


async def test_the_cookie_of_a_login_is_guarded(address: Address) -> None:
    """No script reads it; it is sent with a form of another site, as the answer is one."""
    response = await address.http.get("/saml/login", params={"organisation": address.organisation.id})

    cookie = SimpleCookie(next(c for c in response.headers.get_list("set-cookie") if c.startswith("redcore_saml")))
    morsel = cookie["redcore_saml"]
    assert (morsel["httponly"], morsel["path"]) == (True, "/")


@pytest.mark.parametrize(
    ("is_secure", "samesite"),
    [(True, "none"), (False, None)],
)
def test_the_cookie_of_a_login_is_one_that_browsers_keep(*, is_secure: bool, samesite: str | None) -> None:
    """Over plain HTTP they drop `Secure`, and also `SameSite=None` without it."""
    attributes = cookie_attributes(is_secure=is_secure)

    assert (attributes["secure"], attributes["samesite"], attributes["httponly"]) == (is_secure, samesite, True)


async def test_the_organisation_may_be_left_out_if_only_one_has_a_provider(address: Address, stores: Stores) -> None:
    """With several it must be named; without any there is no login."""
    await rows(
        stores, "delete from identity_providers where organisation_id <> %s returning 1", address.organisation.id
    )
    alone = await address.http.get("/saml/login")
    other = await make_organisation(stores, address.clock)
    await trust(stores, address.clock, other)
    several = await address.http.get("/saml/login")
    await rows(stores, "delete from identity_providers returning 1")
    none = await address.http.get("/saml/login", params={"organisation": address.organisation.id})

    assert [answer.status_code for answer in (alone, several, none)] == [302, 404, 404]
    assert "There is no identity provider" in none.text


@pytest.mark.parametrize("organisation_id", ["org_unknown", "", "a\0b"])
async def test_an_unknown_organisation_is_not_found(address: Address, organisation_id: str) -> None:
    """Whatever is requested."""
    answer = await address.http.get("/saml/login", params={"organisation": organisation_id})

    assert answer.status_code == 404


async def test_a_person_is_signed_in(address: Address, stores: Stores, clock: Clock) -> None:
    """The session is that of the user with the e-mail address in the assertion; the login's cookie is gone."""
    scene = await address.scene()

    answer = await address.bring(scene.honest())

    assert (answer.status_code, "You are signed in" in answer.text) == (200, True)
    session = await Sessions(stores, clock).load(answer.cookies["redcore_session"])
    assert session.person is not None
    assert session.person.id == address.organisation.owner_id
    assert "redcore_saml" not in address.http.cookies


@pytest.mark.parametrize(
    "return_to", ["/oauth/authorize?client_id=app_1&redirect_uri=https%3A%2F%2Fx.example%2Fcb", "/oauth/device"]
)
async def test_the_browser_returns_to_the_page_that_asked(address: Address, return_to: str) -> None:
    """To the page that required a session, whatever `RelayState` says."""
    request_id = await address.ask(return_to=return_to)
    scene = address.scene_of(request_id)

    answer = await address.bring(scene.honest(), RelayState="https://evil.example/")

    assert (answer.status_code, answer.headers["Location"]) == (302, return_to)


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/oauth/authorize?",
        "//evil.example/oauth/authorize?",
        "/\\evil.example",
        "/oauth/authorize@evil.example",
        "/oauth/authorize?a\r\nSet-Cookie: x=y",
        "/oauth/device/../../v1/users",
        "/v1/users",
        "",
        f"/oauth/authorize?{'a' * 8001}",
    ],
)
async def test_no_open_redirect_after_a_login(address: Address, return_to: str) -> None:
    """Only our own pages, at a URL of usual length, because it is stored."""
    query = {"organisation": address.organisation.id, "return_to": return_to}

    answer = await address.http.get("/saml/login", params=query)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


async def test_an_invited_person_becomes_active(address: Address, stores: Stores, clock: Clock) -> None:
    """The identity provider vouches for the address, so the invitation is no longer needed."""
    user_id = await add_user(stores, address.organisation, "eve@example.com", "pending_invite")
    await rows(
        stores,
        "insert into invitations (id, user_id, created_at, expires_at) values (%s, %s, %s, %s) returning id",
        f"inv_{user_id}",
        user_id,
        clock.now(),
        clock.now(),
    )

    answer = await address.bring((await address.scene()).honest(name_id="eve@example.com"))

    assert answer.status_code == 200
    (user,) = await rows(stores, "select status, accepted_at from users where id = %s", user_id)
    (invitation,) = await rows(stores, "select voided_at from invitations where user_id = %s", user_id)
    assert user["status"] == "active"
    assert user["accepted_at"] == invitation["voided_at"]
    assert invitation["voided_at"] is not None


async def test_an_unsolicited_answer_is_refused(address: Address) -> None:
    """With one, an attacker would sign a person in as another."""
    scene = await address.scene()

    assert await why(address, scene.honest(in_response_to=None)) == "it does not answer a request of ours"
    assert await why(address, scene.honest(in_response_to="_unknown")) == "it answers no request of this browser"


async def test_the_answer_to_another_browser_is_refused(address: Address) -> None:
    """The attacker's own login, sent to a victim's browser, is refused and cannot be tried again."""
    scene = await address.scene()
    cookies = dict(address.http.cookies)
    address.http.cookies.clear()

    assert await why(address, scene.honest()) == "it answers no request of this browser"
    address.http.cookies.update(cookies)
    assert await why(address, scene.honest()) == "it answers no request of this browser"


async def test_an_answer_to_another_provider_is_refused(address: Address, stores: Stores, clock: Clock) -> None:
    """One organisation's identity provider cannot answer a request to another one."""
    scene = await address.scene()
    other = await trust(stores, clock, await make_organisation(stores, clock))
    statement = scene.statement(issuer=other.entity_id)
    document = serialized(other.response(other.assertion(statement), statement))

    assert await why(address, document) == "it answers no request of this browser"


async def test_a_request_expires_after_ten_minutes(address: Address, clock: Clock) -> None:
    """By the server's clock."""
    scene = await address.scene()
    clock.advance(600)
    late = attrs.evolve(scene, now=clock.now())

    assert await why(address, late.honest()) == "it answers no request of this browser"


async def test_an_answer_can_be_used_once(address: Address) -> None:
    """Sent again in the same browser, after another login was started, it is refused."""
    document = (await address.scene()).honest()
    assert (await address.bring(document)).status_code == 200
    await address.ask()

    assert await why(address, document) == "it answers no request of this browser"


async def test_an_assertion_used_elsewhere_is_refused(address: Address) -> None:
    """The same assertion id in the answer to a new request: replay is detected across all endpoints."""
    first = (await address.scene()).statement()
    await address.bring(address.scene_of(first.in_response_to).honest(id=first.id))
    again = (await address.scene()).honest(id=first.id)

    assert await why(address, again) == f"assertion {first.id} was used before"


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        ({"destination": "https://other.example/acs"}, "its destination https://other.example/acs is not ours"),
        ({"issuer": "https://other.example"}, "the response's issuer is not the identity provider"),
        (
            {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"},
            "the identity provider reports urn:oasis:names:tc:SAML:2.0:status:Responder",
        ),
    ],
)
async def test_the_response_is_checked_too(address: Address, envelope: dict[str, str], reason: str) -> None:
    """Its content is checked, though only the assertion in it is signed."""
    scene = await address.scene()

    assert await why(address, scene.document(scene.provider.assertion(scene.statement()), **envelope)) == reason


async def test_a_bare_assertion_is_not_an_answer(address: Address) -> None:
    """Browsers send responses."""
    scene = await address.scene()
    bare = serialized(scene.provider.assertion(scene.statement()))

    assert await why(address, bare) == "it does not say that the person signed in"


async def test_an_answer_that_is_not_base64_is_refused(address: Address) -> None:
    """A missing one too."""
    for form in ({"SAMLResponse": "*"}, {}):
        with capture_logs() as log:
            answer = await address.http.post("/saml/acs", data={"x": "y", **form})
        assert answer.status_code == 400
        assert log[0]["reason"] in {"it is not base64", "it is not well-formed XML (line 1)"}


async def test_base64_may_come_in_lines(address: Address) -> None:
    """As some identity providers send it."""
    document = base64.encodebytes((await address.scene()).honest()).decode()

    answer = await address.http.post("/saml/acs", data={"SAMLResponse": document})

    assert answer.status_code == 200


async def test_ten_megabytes_are_refused_unread(address: Address) -> None:
    """The size is checked before anything is decoded or parsed."""
    answer = await address.bring(b" " * 10_000_000)

    assert answer.status_code == 413


async def test_support_finds_the_reason_by_the_id_on_the_page(app: ASGIApp) -> None:
    """The page shows the request's id, and so does the line in the log."""
    request_id = "8f14e45f-ceea-467f-ab13-9a2c1d7a5e01"
    headers = {"X-Request-ID": request_id}
    with capture_logs([merge_contextvars]) as log:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER, headers=headers) as http:
            page = await http.post("/saml/acs", data={"SAMLResponse": "*"})

    (line,) = [line for line in log if line["event"] == "SAML assertion refused"]
    assert line["request_id"] == request_id
    assert request_id in page.text


async def test_a_refusal_leaves_the_session_alone(address: Address) -> None:
    """The session of a signed-in person stays, whatever others post."""
    await address.bring((await address.scene()).honest())

    answer = await address.bring(b"<x/>")

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


async def test_the_sign_in_page_links_to_the_provider(address: Address, stores: Stores) -> None:
    """From an application's request to the consent page, without a password."""
    redirect_uri = "https://app.example/cb"
    await rows(
        stores,
        "update applications set redirect_uris = %s where id = %s returning id",
        [redirect_uri],
        address.client.id,
    )
    query = {
        "response_type": "code",
        "client_id": address.client.id,
        "redirect_uri": redirect_uri,
        "state": "a b&c",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page = await address.http.get("/oauth/authorize", params=query)
    (link,) = re.findall(r'href="(/saml/login[^"]+)"', page.text)

    login = await address.http.get(html.unescape(link))
    scene = address.scene_of(request_of(login).get("ID"))
    answer = await address.bring(scene.honest())
    consent = await address.http.get(answer.headers["Location"])

    assert "Nightly job" in consent.text
    assert "Signed in as <strong>ada@example.com</strong>" in consent.text


async def test_without_a_provider_the_page_has_no_link_to_one(address: Address, stores: Stores) -> None:
    """Only a password is asked for."""
    await rows(
        stores,
        "update applications set redirect_uris = '{https://app.example/cb}' where id = %s returning id",
        address.client.id,
    )
    await rows(stores, "delete from identity_providers where organisation_id = %s returning 1", address.organisation.id)
    query = {
        "response_type": "code",
        "client_id": address.client.id,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }

    page = await address.http.get("/oauth/authorize", params=query)

    assert "Password" in page.text
    assert "/saml/login" not in page.text
