"""Many answers depend on earlier requests: here the fake and the server get the same sequences."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias
from urllib.parse import urlencode

import attrs
import httpx
import pytest
from tests.contract.attacker import CHALLENGE, VERIFIER
from tests.contract.comparing import FORM, Platform, both, essence
from tests.contract.people import (
    CALLBACK,
    FakeVisitor,
    Person,
    Visitor,
    new_person,
    new_person_of_fake,
    parameters,
)

from redcore import Client
from redcore.testing import ReferenceServer
from redcore.testing._fake.call import Asked

HOUR_S, DAY_S = 3600, 86400
UNLIKE = {
    re.compile(r"\b(usr|app|key|file|wfr)_[0-9A-Za-z]{8,}"): r"\1_ID",
    re.compile(r"cursor=[\w-]+"): "cursor=C",
    re.compile("has been revoked"): "is not valid",  # the fake keeps no revoked tokens
}
"""Values that always differ between the platforms, and their replacements."""
SAML = "urn:ietf:params:oauth:grant-type:saml2-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
Json: TypeAlias = dict[str, Any]
Credentials: TypeAlias = tuple[str, str]


@attrs.frozen
class Narrator:
    """Makes the requests of a story on one of the platforms, and records what must be equal on both."""

    platform: Platform
    http: httpx.Client
    heard: list[Any] = attrs.field(factory=list[Any])

    @property
    def origin(self) -> str:
        """The origin of the platform."""
        return self.platform.base_url.removesuffix("/v1")

    def keep(self, *facts: Any) -> None:
        """Record facts, with values that always differ replaced."""
        text = repr(facts)
        for pattern, alike in UNLIKE.items():
            text = pattern.sub(alike, text)
        self.heard.append(text)

    def send(self, method: str, path: str, *, key: str | None = None, **parts: Any) -> httpx.Response:
        """Send a request with an API key or an access token; None is the seeded key."""
        token = self.platform.arguments["api_key"] if key is None else key
        headers = {"Authorization": f"Bearer {token}", **parts.pop("headers", {})}
        answer = self.exchange(httpx.Request(method, f"{self.origin}{path}", headers=headers, **parts))
        self.keep(method, path, essence(answer), answer.headers.get("content-range"))
        return answer

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request unchanged."""
        if isinstance(self.platform, ReferenceServer):
            return self.http.send(request)
        path, _, query = request.url.raw_path.decode().partition("?")
        asked = Asked(request.method, self.origin, path, query, dict(request.headers), request.read())
        answer = self.platform.platform.answer(asked)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content)

    def make(self, path: str, **fields: Any) -> Json:
        """Create an object; return it."""
        made: Json = self.send("POST", path, json=fields).json()["data"]
        return made

    def application(self, kind: str = "confidential") -> Credentials:
        """Register an application; return its id and its secret."""
        scopes = ["users:read", "products:read"]
        made = self.make("/v1/applications", name="Shop", type=kind, scopes=scopes, redirect_uris=[CALLBACK])
        return made["id"], made["client_secret"] or ""

    def oauth(self, endpoint: str, by: Credentials | None = None, **form: str) -> Json:
        """Send a form to an OAuth endpoint, as an application; return the answer."""
        request = httpx.Request("POST", f"{self.origin}/oauth/{endpoint}", content=urlencode(form), headers=FORM)
        if by is not None:
            request = next(httpx.BasicAuth(*by).auth_flow(request))
        answer = self.exchange(request)
        body: Json = answer.json() if answer.content else {}
        words = ("error", "scope", "active", "token_type", "expires_in", "interval")
        self.keep(endpoint, essence(answer), sorted(body.keys() - {"error_description"}), [*map(body.get, words)])
        return body

    def run(self, workflow: str, **given: Any) -> None:
        """Run a workflow to its end."""
        with Client(**self.platform.arguments) as client:
            ended = client.workflows.wait(client.workflows.run(workflow, input=given), timeout=60).to_dict()
        result = {name: value for name, value in (ended["result"] or {}).items() if name != "file_id"}
        self.keep(workflow, sorted(given), ended["status"], sorted(result.items()), ended["error"])

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; return its id."""
        with Client(**self.platform.arguments) as client:
            return client.files.upload(file=content, name=name).id


Story: TypeAlias = Callable[[Narrator], object]
STORIES: list[Story] = []


def story(function: Story) -> Story:
    """Register a story."""
    STORIES.append(function)
    return function


@story
def a_user_is_changed(narrator: Narrator) -> None:
    ada = f"/v1/users/{narrator.make('/v1/users', email='ada@example.com', name='Ada')['id']}"
    for changes in (
        {"status": "active"},
        {"email": "ADMIN@example.com"},
        {"email": "Ada@example.com"},
        {"email": "ada.king@example.com"},
        {},
        {"role": "editor", "name": "Ada King"},
        {"role": "viewer"},
        {"status": "inactive"},
        {"status": "pending_invite"},
        {"email": "ada@example.com", "status": "inactive"},
    ):
        narrator.keep(changes, narrator.send("PATCH", ada, json=changes).json().get("data", {}).get("status"))
    narrator.send("DELETE", ada)
    narrator.send("DELETE", ada)


@story
def applications_are_registered(narrator: Narrator) -> None:
    for uri in (
        *("https://shop.example.com/cb#part", "https://shop.example.com/cb#", "https://ada@shop.example.com/"),
        *("https:///cb", "http://shop.example.com/", "http://localhost/cb", "com.example.shop:/cb", "shop:/cb", "x"),
    ):
        narrator.send("POST", "/v1/applications", json={"name": "S", "scopes": ["users:read"], "redirect_uris": [uri]})
    public, _ = narrator.application("public")
    confidential, secret = narrator.application()
    narrator.send("POST", f"/v1/applications/{public}/secret")
    fresh = narrator.send("POST", f"/v1/applications/{confidential}/secret").json()["data"]["client_secret"]
    narrator.keep(fresh != secret)
    narrator.oauth("token", (confidential, fresh), grant_type="client_credentials")
    narrator.send("DELETE", f"/v1/applications/{confidential}")
    narrator.send("DELETE", f"/v1/applications/{confidential}")
    narrator.oauth("token", (confidential, fresh), grant_type="client_credentials")


@story
def an_api_key_expires(narrator: Narrator) -> None:
    for end in ("2027-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00Z", "soon"):
        body = {"name": "k", "scopes": ["users:read"], "expires_at": end}
        narrator.send("POST", "/v1/api-keys", json=body)
    key = narrator.make("/v1/api-keys", name="k", scopes=["profile:read"], expires_at="2060-01-01T00:00:00Z")["key"]
    narrator.send("GET", "/v1/me", key=key)
    narrator.platform.lab.advance_clock(40 * 366 * DAY_S)
    narrator.send("GET", "/v1/me", key=key)


@story
def a_part_of_a_file_is_downloaded(narrator: Narrator) -> None:
    content = f"/v1/files/{narrator.upload('digits.txt', b'0123456789')}/content"
    etag = narrator.send("GET", content).headers["etag"]
    for headers in (
        *({"If-Match": '"other"'}, {"If-Match": etag}, {"If-Match": f"W/{etag}"}, {"If-Match": "*"}),
        *({"If-None-Match": etag}, {"If-None-Match": f'"other", W/{etag}'}, {"If-None-Match": '"other"'}),
        *({"Range": "bytes=2-4"}, {"Range": "bytes=8-99"}, {"Range": "bytes=-3"}, {"Range": "bytes=-99"}),
        *(
            {"Range": "bytes=10-"},
            {"Range": "bytes=-0"},
            {"Range": "bytes=4-2"},
            {"Range": "bytes=12-11"},
            {"Range": "bytes=0-1,4-5"},
        ),
        *({"Range": "lines=1-2"}, {"Range": "bytes=2-4", "If-Range": etag}, {"Range": "bytes=2-4", "If-Range": '"x"'}),
    ):
        answer = narrator.send("GET", content, headers=headers)
        narrator.keep(headers, answer.content if answer.status_code < 400 else b"")


@story
def users_are_imported(narrator: Narrator) -> None:
    rows = b"email,name,role\nada@example.com,Ada,editor\nadmin@example.com,Grace,\nalan@example.com,,viewer\n"
    table = narrator.upload("users.csv", rows)
    lines = narrator.upload("users.jsonl", b'{"email":"alan@example.com","name":"Alan"}\n\n')
    narrator.run("user_import", file_id=table)
    narrator.run("user_import", file_id=lines)
    narrator.run("user_import", file_id=lines)
    narrator.run("user_import", file_id=table, partial=True)
    narrator.run("user_import", file_id="file_none")
    with Client(**narrator.platform.arguments) as client:
        narrator.keep(
            sorted((user.email, user.name, user.role.value, user.status.value) for user in client.users.list())
        )


@story
def products_are_imported_and_exported(narrator: Narrator) -> None:
    first = narrator.upload("a.csv", b"sku,name,price,stock\nE-1,=1+1,100,2\nE-2,Hose,50,\n")
    second = narrator.upload("b.jsonl", b'{"sku":"E-1","name":"Engine","price":120,"stock":0}\n')
    narrator.run("catalog_import", file_id=first)
    narrator.run("catalog_export", format="csv", safe_for_spreadsheets=True)
    narrator.run("catalog_import", file_id=second)
    narrator.run("catalog_export", format="jsonl")
    narrator.run("catalog_import", file_id="file_none")
    with Client(**narrator.platform.arguments) as client:
        narrator.keep(sorted((each.sku, each.name, each.price, each.status.value) for each in client.products.list()))
        for file in sorted(client.files.list(), key=lambda file: file.content_type):
            heading = client.files.download(file.id).splitlines()[0] if file.name.startswith("catalog") else b""
            narrator.keep(file.name, file.content_type, heading[:5])


@story
def an_application_acts_for_itself(narrator: Narrator) -> None:
    shop, other = narrator.application(), narrator.application()
    pair = narrator.oauth("token", shop, grant_type="client_credentials")
    narrator.oauth("token", shop, grant_type="client_credentials", scope="users:read users:write")
    narrator.send("GET", "/v1/users", key=pair["access_token"])
    for token in (pair["access_token"], pair["refresh_token"], "unknown"):
        narrator.oauth("introspect", shop, token=token)
        narrator.oauth("revoke", other, token=token)
    narrower = narrator.oauth(
        "token", shop, grant_type="refresh_token", refresh_token=pair["refresh_token"], scope="users:read"
    )
    narrator.oauth("token", other, grant_type="refresh_token", refresh_token=narrower["refresh_token"])
    narrator.oauth("revoke", shop, token=narrower["access_token"])
    narrator.send("GET", "/v1/users", key=narrower["access_token"])
    narrator.oauth("introspect", shop, token=narrower["refresh_token"])
    narrator.oauth("revoke", shop, token=narrower["refresh_token"])
    narrator.oauth("introspect", shop, token=narrower["refresh_token"])
    narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=narrower["refresh_token"])


@story
def a_refresh_token_comes_back(narrator: Narrator) -> None:
    shop = narrator.application()
    pair = narrator.oauth("token", shop, grant_type="client_credentials")
    fresh = narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    narrator.platform.lab.advance_clock(HOUR_S / 2)
    narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    narrator.send("GET", "/v1/users", key=fresh["access_token"])
    narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=fresh["refresh_token"])


@story
def a_run_is_cancelled(narrator: Narrator) -> None:
    with Client(**narrator.platform.arguments) as client:
        run = client.workflows.wait(client.workflows.run("catalog_export"), timeout=60)
    narrator.send("POST", f"/v1/workflow-runs/{run.id}/cancel")
    narrator.send("GET", "/v1/workflow-runs?status=succeeded")


@story
def the_rest_of_a_listing_is_asked_for(narrator: Narrator) -> None:
    for name in ("ada", "alan"):
        narrator.make("/v1/users", email=f"{name}@example.com", name=name)
    cursor = narrator.send("GET", "/v1/users?limit=1").json()["meta"]["next_cursor"]
    for query in (f"cursor={cursor}&offset=1", f"cursor={cursor}&role=viewer", f"cursor={cursor}&limit=1"):
        narrator.send("GET", f"/v1/users?{query}")
    narrator.send("GET", f"/v1/products?cursor={cursor}")


@story
def tokens_end(narrator: Narrator) -> None:
    shop = narrator.application()
    pair = narrator.oauth("token", shop, grant_type="client_credentials")
    narrator.platform.lab.advance_clock(2 * HOUR_S)
    narrator.send("GET", "/v1/users", key=pair["access_token"])
    narrator.send("GET", "/v1/users", key=pair["refresh_token"])
    narrator.oauth("introspect", shop, token=pair["access_token"])
    narrator.platform.lab.advance_clock(31 * DAY_S)
    narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=pair["refresh_token"])


@story
def an_application_shows_itself_wrongly(narrator: Narrator) -> None:
    shop, (public, _) = narrator.application(), narrator.application("public")
    narrator.oauth("token", ("nobody", "x"), grant_type="client_credentials")
    narrator.oauth("token", shop, grant_type="client_credentials", client_secret=shop[1])
    narrator.oauth("token", shop, grant_type="client_credentials", client_id="another")
    narrator.oauth("token", client_id=public, grant_type="client_credentials")
    narrator.oauth("introspect", client_id=public, token="x")
    for header in ("Basic !", "Basic YWRh", "Bearer YWRhOng=", "Basic"):
        content = urlencode({"grant_type": "client_credentials"})
        headers = {**FORM, "Authorization": header}
        request = httpx.Request("POST", f"{narrator.origin}/oauth/token", content=content, headers=headers)
        narrator.keep(header, essence(narrator.exchange(request)))


@story
def a_form_lacks_something(narrator: Narrator) -> None:
    shop = narrator.application()
    for form in (
        *({"grant_type": "authorization_code"}, {"grant_type": "authorization_code", "code": "x"}),
        {"grant_type": "authorization_code", "code": "x", "code_verifier": "short"},
        {"grant_type": "authorization_code", "code": "x", "code_verifier": VERIFIER},
        *({"grant_type": "refresh_token"}, {"grant_type": "refresh_token", "refresh_token": "x"}),
        *({"grant_type": DEVICE}, {"grant_type": DEVICE, "device_code": "x"}),
        *({"grant_type": SAML}, {"grant_type": SAML, "assertion": "x"}),
        *({"grant_type": SAML, "assertion": urlsafe_b64encode(xml).decode()} for xml in (b"<a/>", b"<a", b"")),
    ):
        narrator.oauth("token", shop, **form)
    for endpoint in ("revoke", "introspect"):
        narrator.oauth(endpoint, shop)


@story
def a_person_logs_in_to_an_application(narrator: Narrator) -> None:
    # A fast machine sends more of its requests in a second than an address may.
    narrator.platform.lab.limit_rate(requests_per_minute=1000, requests_per_second=1000)
    shop, other, person = narrator.application(), narrator.application(), sign_up(narrator)
    redeem: Json = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    for changes in (
        *({"response_type": "token"}, {"code_challenge": ""}, {"code_challenge_method": "plain"}),
        *({"scope": "users:write"}, {"scope": "none"}, {"scope": ""}),
    ):
        narrator.keep(changes, sorted(authorize(narrator, person, shop[0], **changes)))
    denied = authorize(narrator, person, shop[0], decision="deny")
    narrator.keep(sorted(denied), denied["error"], denied["state"])
    code = authorize(narrator, person, shop[0])["code"]
    narrator.oauth("token", other, **redeem, code=code)
    code = authorize(narrator, person, shop[0])["code"]
    narrator.oauth("token", shop, **{**redeem, "code": code, "redirect_uri": "https://shop.example.com/"})
    code = authorize(narrator, person, shop[0])["code"]
    narrator.oauth("token", shop, **{**redeem, "code": code, "code_verifier": "w" * 64})
    code = authorize(narrator, person, shop[0])["code"]
    narrator.oauth(
        "token", shop, **{name: value for name, value in redeem.items() if name != "code_verifier"}, code=code
    )
    code = authorize(narrator, person, shop[0])["code"]
    pair = narrator.oauth("token", shop, **redeem, code=code)
    narrator.send("GET", "/v1/users", key=pair["access_token"])
    narrator.oauth("token", shop, **redeem, code=code)
    narrator.send("GET", "/v1/users", key=pair["access_token"])
    code = authorize(narrator, person, shop[0])["code"]
    narrator.platform.lab.advance_clock(2 * HOUR_S)
    narrator.oauth("token", shop, **redeem, code=code)


@story
def a_person_who_leaves_takes_the_tokens_along(narrator: Narrator) -> None:
    shop, person = narrator.application(), sign_up(narrator)
    redeem: Json = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    pair = narrator.oauth("token", shop, **redeem, code=authorize(narrator, person, shop[0])["code"])
    code = authorize(narrator, person, shop[0])["code"]
    narrator.send("PATCH", f"/v1/users/{person.id}", json={"status": "inactive"})
    narrator.send("GET", "/v1/users", key=pair["access_token"])
    narrator.oauth("introspect", shop, token=pair["refresh_token"])
    narrator.oauth("token", shop, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    narrator.oauth("token", shop, **redeem, code=code)


@story
def a_person_connects_devices(narrator: Narrator) -> None:
    shop, other, person = narrator.application(), narrator.application(), sign_up(narrator)
    for decision in ("allow", "deny", None):
        device = narrator.oauth("device_authorization", shop, scope="users:read")
        poll = {"grant_type": DEVICE, "device_code": device["device_code"]}
        narrator.oauth("token", other, **poll)
        narrator.oauth("token", shop, **poll)
        narrator.oauth("token", shop, **poll)
        if decision is None:
            narrator.platform.lab.advance_clock(HOUR_S)
        else:
            narrator.platform.lab.advance_clock(60)
            browser(narrator).decide_device(SimpleNamespace(**device), person, decision=decision)  # type: ignore[arg-type]
        narrator.oauth("token", shop, **poll)
        narrator.oauth("token", shop, **poll)
    narrator.oauth("device_authorization", shop, scope="users:write")


def browser(narrator: Narrator) -> Visitor | FakeVisitor:
    """Return a browser without a session."""
    if isinstance(narrator.platform, ReferenceServer):
        return Visitor(narrator.origin, narrator.http)
    return FakeVisitor(narrator.platform, narrator.http)


def sign_up(narrator: Narrator) -> Person:
    """Invite a person, who accepts."""
    visitor = browser(narrator)
    if isinstance(narrator.platform, ReferenceServer):
        assert isinstance(visitor, Visitor)
        return new_person(narrator.platform, visitor)
    return new_person_of_fake(narrator.platform)


def authorize(narrator: Narrator, person: Person, client_id: str, *, decision: str = "allow", **changes: str) -> Any:
    """Let a person decide on an authorization request; return the parameters of the redirect."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "users:read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    address = f"{narrator.origin}/oauth/authorize?{urlencode({name: value for name, value in query.items() if value})}"
    visitor = browser(narrator)
    if isinstance(visitor, Visitor) and (at_once := visitor.get(address)).is_redirect:
        return parameters(at_once.headers["Location"])
    return parameters(visitor.decide(address, person, decision=decision))


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_the_fake_tells_each_story_as_the_server_does(tell: Story, redcore_server: ReferenceServer) -> None:
    """The fake answers each request of it as the server does."""
    heard: list[list[Any]] = []
    with httpx.Client(trust_env=False) as http:
        for platform in both(redcore_server):
            narrator = Narrator(platform, http)
            tell(narrator)
            heard.append(narrator.heard)
    redcore_server.lab.reset()  # including its clock

    of_server, of_fake = heard
    assert of_fake == of_server
