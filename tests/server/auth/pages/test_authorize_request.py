"""The authorization endpoint: what it asks a person, and which errors the application gets or only the page shows."""

from __future__ import annotations

import httpx
import pytest
from tests.server.support.authorizing import CALLBACK, CHALLENGE, VERIFIER, Flow, parameters, register, signed_in
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.people import make_person
from tests.server.support.tenants import ISSUER, Client, Organisation, make_organisation

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.credentials.redirect_uris import is_registered
from redcore_server.auth.oauth.server import OAuthServer
from redcore_server.auth.people.role import role_ceiling
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def test_without_a_session_the_sign_in_form_is_shown(http: httpx.AsyncClient, storefront: Client) -> None:
    """The sign-in form names the application and leads to its consent."""
    page = await Flow(Browser(http), storefront).ask()

    assert page.status_code == 200
    assert "Sign in to continue to Storefront <3" in text_of(page)
    assert "form-action 'self' https://app.example.com;" in page.headers["Content-Security-Policy"]


async def test_consent_names_application_person_and_scopes(flow: Flow) -> None:
    """The page shows the application, the signed-in person, and what each scope means."""
    page = await flow.ask(scope="users:read")

    text = text_of(page)
    assert "Allow Storefront <3?" in text
    assert "Signed in as ada@example.com" in text
    assert "Read the users" in text
    assert "Change the users" not in text
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_allowing_sends_a_code_back(flow: Flow) -> None:
    """Code, the state unchanged, and the issuer (RFC 9207); nothing else, and no token."""
    answer = await flow.allow()

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{CALLBACK}?")
    query = parameters(answer)
    assert sorted(query) == ["code", "iss", "state"]
    assert (query["state"], query["iss"]) == ("s~ /+ü", ISSUER)
    assert len(query["code"]) == 43


async def test_denying_sends_access_denied_back(flow: Flow) -> None:
    """`access_denied` with state and issuer."""
    answer = await flow.browser.fill(await flow.ask(), "consent", decision="deny")

    query = parameters(answer)
    assert (query["error"], query["state"], query["iss"]) == ("access_denied", "s~ /+ü", ISSUER)
    assert "code" not in query


async def test_a_very_long_request_is_an_error_page(flow: Flow) -> None:
    """The state is returned, up to three times as long, so its length is limited."""
    long, too_long = "s" * 4000, "s" * 8001

    assert parameters(await flow.allow(state=long))["state"] == long
    refused = await flow.ask(state=too_long)
    assert (refused.status_code, "Location" in refused.headers) == (400, False)
    assert len(refused.content) < len(too_long)


async def test_state_may_be_left_out(flow: Flow) -> None:
    """No state is returned if none was sent."""
    assert "state" not in parameters(await flow.allow(state=""))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"client_id": "app_unknown"},
        {"client_id": "app_\0"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f"{CALLBACK}/more"},
        {"redirect_uri": f"{CALLBACK}?more=1"},
        {"redirect_uri": f"{CALLBACK}#fragment"},
        {"redirect_uri": "https://app.example.com/Callback"},
        {"redirect_uri": "https://app.example.com@evil.example/callback"},
        {"redirect_uri": "https://app.example.com\\@evil.example"},
        {"redirect_uri": "//evil.example"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": 'https://"evil.example'},
        {"redirect_uri": "https://app.example.com/callback\n"},
        {"redirect_uri": "https://evil.example", "response_type": "token"},
        {"redirect_uri": "https://evil.example", "scope": "nonsense"},
    ],
)
async def test_no_open_redirect(flow: Flow, changes: dict[str, str]) -> None:
    """Without a known application and one of its redirect URIs, a page shows the error and there is no redirect."""
    answer = await flow.ask(**changes)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "This sign-in link is not valid" in text_of(answer)
    assert "evil" not in answer.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "code_challenge", "scope"])
async def test_repeated_parameters_are_refused(flow: Flow, name: str) -> None:
    """RFC 6749 section 3.1: a repeated parameter is ambiguous."""
    query = str(httpx.QueryParams(flow.request(scope="users:read")).add(name, "x"))

    answer = await flow.browser.get(f"/oauth/authorize?{query}")

    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize("query", ["client_id=%ff", "&".join(f"a{number}=1" for number in range(60))])
async def test_unreadable_query_is_refused(flow: Flow, query: str) -> None:
    """Neither bytes that are not text nor a flood of parameters."""
    answer = await flow.browser.get(f"/oauth/authorize?{query}")

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "users:read products:read"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": f"{CHALLENGE}x"}, "invalid_request"),
        ({"code_challenge": "!" * 43}, "invalid_request"),
    ],
)
async def test_other_errors_are_sent_to_the_application(flow: Flow, changes: dict[str, str], error: str) -> None:
    """RFC 6749 section 4.1.2.1, before anyone signs in; PKCE without S256 is one of them, for every client."""
    answer = await Flow(Browser(flow.browser.http), flow.client).ask(**changes)

    assert answer.headers["Location"].startswith(f"{CALLBACK}?")
    query = parameters(answer)
    assert (query["error"], query["state"], query["iss"]) == (error, "s~ /+ü", ISSUER)


async def test_redirect_uri_may_be_left_out_if_there_is_one(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation, flow: Flow
) -> None:
    """A single registered redirect URI is used; with two the request is ambiguous."""
    several = await register(stores, clock, organisation, CALLBACK, "https://app.example.com/other")
    one = await flow.allow(redirect_uri="")
    two = await Flow(flow.browser, several).ask(redirect_uri="")

    assert one.headers["Location"].startswith(f"{CALLBACK}?")
    assert two.status_code == 400


async def test_application_deleted_meanwhile_gets_no_redirect(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application may be deleted between two reads; then the error is shown, not sent."""
    query_client = OAuthServer.query_client
    looks: list[str] = []

    def once(self: OAuthServer, client_id: str) -> Application | None:
        looks.append(client_id)
        return query_client(self, client_id) if len(looks) == 1 else None

    monkeypatch.setattr(OAuthServer, "query_client", once)
    answer = await flow.ask()

    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("registered", "requested", "is_known"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:9000/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1/cb", True),
        ("http://[::1]/cb", "http://[::1]:5000/cb", True),
        ("http://127.0.0.1", "http://127.0.0.1:5000", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?x", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:49152/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:x/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:5000/cb", False),
        ("http://localhost/cb", "http://localhost:5000/cb", False),
        ("http://localhost/cb", "http://localhost/cb", True),
        ("https://app.example.com:443/cb", "https://app.example.com/cb", False),
        ("com.example.app:/cb", "com.example.app:/cb", True),
    ],
)
def test_redirect_uris_are_compared_exactly(registered: str, requested: str, *, is_known: bool) -> None:
    """Character for character, except the port of a loopback address (RFC 8252 section 7.3)."""
    assert is_registered(requested, ["https://elsewhere.example", registered]) == is_known


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https://app.example.com:8443/cb", "https://app.example.com:8443"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://[::1]:5000/cb", "http:"),
        ("https://a;script-src/cb", "https:"),
    ],
)
async def test_form_policy_names_where_the_browser_goes(
    flow: Flow, stores: Stores, organisation: Organisation, redirect_uri: str, source: str
) -> None:
    """Chromium applies the policy to redirects of a form; where CSP cannot name the target, its scheme is named."""
    app = await register(stores, Clock(), organisation, redirect_uri)

    page = await Flow(flow.browser, app).ask(redirect_uri=redirect_uri)

    assert f"form-action 'self' {source}; frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_csrf_consent_without_its_token_is_refused(flow: Flow) -> None:
    """CSRF: no other site can agree for a person, neither without the token nor from its own origin."""
    page = await flow.ask()
    form = {**forms_of(page)["consent"], "decision": "allow"}

    forged = await flow.browser.post(str(page.url), {**form, "csrf": "0" * 64})
    foreign = await flow.browser.post(str(page.url), form, origin="https://evil.example")

    assert (forged.status_code, foreign.status_code) == (302, 400)
    assert "consent" in forms_of(await flow.browser.follow(forged))
    assert "Location" not in foreign.headers


async def test_consent_after_signing_out_asks_to_sign_in(flow: Flow) -> None:
    """A form sent after signing out grants nothing."""
    page = await flow.ask()
    left = await flow.browser.fill(page, "sign-out")
    form = forms_of(await flow.browser.follow(left))["password"]

    answer = await flow.browser.post(str(page.url), {"csrf": form["csrf"], "step": "consent", "decision": "allow"})

    assert "password" in forms_of(answer)


@pytest.mark.parametrize("changes", [{"scope": "users:read users:write admin"}, {"scope": ""}, {"decision": "maybe"}])
async def test_only_the_shown_scopes_can_be_allowed(flow: Flow, changes: dict[str, str]) -> None:
    """A form that differs from the page is shown again."""
    answer = await flow.browser.fill(await flow.ask(), "consent", **{"decision": "allow", **changes})

    assert (answer.status_code, "consent" in forms_of(answer)) == (200, True)


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        ("admin", "admin products:write users:read users:write"),
        ("editor", "products:write users:read"),
        ("viewer", "users:read"),
    ],
)
async def test_no_consent_exceeds_the_persons_role(  # noqa: PLR0917 - fixtures
    http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation, role: str, granted: str
) -> None:
    """A scope beyond the role is left out, and the answer says what was granted."""
    app = await register(stores, clock, organisation, scopes=("admin", "products:write", "users:read", "users:write"))
    person = await make_person(stores, clock, organisation, role)
    mine = Flow(await signed_in(http, stores, clock, person.owner_id), app)

    answer = await mine.redeem(await mine.code())

    assert answer.json()["scope"] == granted


async def test_nothing_left_to_grant_leaves_the_way_back(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation, storefront: Client
) -> None:
    """A viewer who is asked for `users:write` can only deny."""
    viewer = await make_person(stores, clock, organisation, "viewer")
    flow = Flow(await signed_in(http, stores, clock, viewer.owner_id), storefront)
    page = await flow.ask(scope="users:write")
    forced = await flow.browser.fill(page, "consent", decision="allow")
    back = await flow.browser.fill(page, "consent", decision="deny")

    assert "more than your role" in text_of(page)
    assert "consent" in forms_of(forced)
    assert parameters(back)["error"] == "access_denied"


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_an_application_grants_no_more_than_its_owners_role(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, organisation: Organisation, role: str
) -> None:
    """If the owner of the application was demoted, even an administrator cannot grant it `users:write`."""
    owner = await make_person(stores, clock, organisation, role)
    app = await register(stores, clock, owner)
    mine = Flow(await signed_in(http, stores, clock, organisation.owner_id), app)

    answer = await mine.redeem(await mine.code())

    assert answer.json()["scope"] == "users:read"


def test_roles_are_ordered() -> None:
    """Each role may grant what the lesser one may, and more."""
    scopes = frozenset({"admin", "profile:write", "users:read", "users:write", "files:read", "files:write"})

    viewer, editor, admin = (role_ceiling(role, scopes) for role in ("viewer", "editor", "admin"))

    assert viewer < editor < admin == scopes
    assert sorted(viewer) == ["files:read", "profile:write", "users:read"]


async def test_strangers_cannot_consent(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, storefront: Client
) -> None:
    """A person of another organisation is asked to sign in as one of this."""
    other = await make_organisation(stores, clock)
    browser = await signed_in(http, stores, clock, other.owner_id)

    assert "password" in forms_of(await Flow(browser, storefront).ask())


@pytest.mark.parametrize(
    "unknown",
    ["login_hint=j%C3%BCrgen%40example.com", "claims=%7B%22a%22%3A%7B%7D%7D", "nonce=n%22x", "resource=a&resource=b",
     "x=%E6%97%A5", "x=%ff", "&".join(f"p{number}=1" for number in range(200))],
)  # fmt: skip
async def test_unknown_parameters_are_ignored(flow: Flow, unknown: str) -> None:
    """RFC 6749 section 3.1: whatever is in them, and however often they occur."""
    page = await flow.ask()

    again = await flow.browser.get(f"{page.url}&{unknown}")

    assert (again.status_code, "consent" in forms_of(again)) == (200, True)


async def test_a_request_without_pkce_says_what_to_send(flow: Flow) -> None:
    """The application gets the error, as any other."""
    answer = await flow.ask(code_challenge="", code_challenge_method="")

    assert "PKCE+is+needed" in answer.headers["Location"].replace("%20", "+")


async def test_consent_shows_the_redirect_host(flow: Flow) -> None:
    """The host of the application's redirect URI."""
    assert "Afterwards you return to app.example.com." in text_of(await flow.ask())
