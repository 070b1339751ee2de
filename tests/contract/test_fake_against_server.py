"""The fake repeats rules and numbers, as the SDK imports nothing of the server: here they are compared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import attrs
import httpx
import pytest
from tests.contract.comparing import FORM, Platform, both, essence

from redcore import Client, ErrorDetail, RedcoreAPIError, ValidationError
from redcore.testing import ReferenceServer
from redcore.testing._fake import access, grants, limits, platform, tokens
from redcore.testing._fake.call import Asked
from redcore.testing._fake.contract import contract
from redcore_server.api.idempotency import LIFETIME
from redcore_server.auth.lifetimes import ACCESS_TOKEN_S, CODE_S, REFRESH_TOKEN_S
from redcore_server.auth.oauth.device_store import DEVICE_CODE_S, INTERVAL_S
from redcore_server.auth.people.role import Role, role_ceiling
from redcore_server.contract.document import statuses
from redcore_server.gateway.limits import API_KEY
from redcore_server.settings import Settings

JSON = {"content-type": "application/json"}
PARTS = {"content-type": "multipart/form-data; boundary=b"}
QUERIES = (
    *("limit=abc", "limit=0", "limit=1000", "limit=-1", "limit=1.5", "limit=%2B5", "limit", "limit=5&limit=6"),
    *("offset=-1", "offset=99999999999999999999", "offset=1e2", "cursor=x", "cursor=", "include_total=maybe"),
    *("nope=1", "role=king", "role=", "status=active&q=", "q=%00", f"q={'x' * 300}", "cursor=x&offset=1"),
)
USERS = (
    *(b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"email":"a"}', b'{"email":"a@b.de","name":""}'),
    *(b'{"email":"a@b.de","name":" x"}', b'{"email":"a@b.de","name":"x","role":"king"}'),
    *(b'{"email":"a@b.de","name":"x","foo":1}', b'{"email":"a@b.de","name":5}', b'{"email":"a@b.de","name":NaN}'),
    *(b'{"email":"a@b.de","name":"\\u0000"}', b'{"email":"a@b.de","name":"\\ud800"}'),
    *(b'{"email":"b@b.de","name":"x","name":"y"}', b'{"email":"a@b.de","name":"\\u200b"}'),
    *(b'{"email":"ADMIN@example.com","name":"A"}', b'{"email":"x@@b.de","name":"A"}', b'{"email":"x@b","name":"A"}'),
)
PRODUCTS = (
    *(b'{"name":"x","sku":"s","price":1.5}', b'{"name":"x","sku":"s","price":-1}'),
    *(b'{"name":"x","sku":"s","price":true}', b'{"name":"x","sku":" s","price":1}'),
    *(b'{"name":"x","sku":"s1","price":1.0}', b'{"name":"x","sku":"s2","price":99999999999999999999}'),
    *(b'{"name":"x","sku":"s3","price":1,"stock":0}', b'{"name":"x","sku":"s3","price":1}'),
    *(b'{"name":"x","sku":"\\uff53\\uff13","price":1}', b'{"name":"x","sku":"a\\u0301","price":1}'),
    *(b'{"name":"x","sku":"\\u00e1","price":1}', b'{"name":"x","sku":"s4","price":1,"stock":0,"status":"available"}'),
)
RUNS = (b"{}", b'{"input":{}}', b'{"input":{"format":"xml"}}', b'{"input":{"x":1}}', b'{"input":[]}')
TOKENS = (
    *(b"", b"grant_type=x", b"grant_type=client_credentials", b"grant_type=refresh_token"),
    *(b"grant_type=client_credentials&client_id=x&client_secret=y", b"grant_type=x&grant_type=y"),
)
KEYED = (
    *(("", b'{"email":"k@b.de","name":"x"}'), ("x" * 256, b'{"email":"k@b.de","name":"x"}')),
    *(("k", b'{"email":"k@b.de","name":"x"}'), ("k", b'{"email":"k@b.de","name":"x"}')),
    ("k", b'{"email":"l@b.de","name":"x"}'),
)
NO_FILE = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nv\r\n--b--\r\n'


@attrs.frozen
class Sent:
    """A request; `{me}` in its path is the user of the API key."""

    method: str
    path: str
    content: bytes = b""
    headers: dict[str, str] = attrs.field(factory=dict[str, str])
    authorization: str | None = "Bearer {key}"


REQUESTS = [
    *(Sent("GET", f"/v1/users?{query}") for query in QUERIES),
    *(Sent("POST", "/v1/users", body, JSON) for body in USERS),
    *(Sent("POST", "/v1/products", body, JSON) for body in PRODUCTS),
    *(Sent("POST", "/v1/workflows/catalog_export/runs", body, JSON) for body in RUNS),
    *(Sent("POST", "/v1/users", body, {**JSON, "idempotency-key": key}) for key, body in KEYED),
    *(Sent("POST", "/oauth/token", body, FORM, None) for body in TOKENS),
    Sent("POST", "/oauth/token", b'{"grant_type":"client_credentials"}', JSON, None),
    *(Sent("POST", path, b"token=x", FORM, None) for path in ("/oauth/revoke", "/oauth/introspect")),
    *(Sent("GET", path, authorization=None) for path in ("/nothing", "/oauth/token", "/v1/nothing", "/v1/me")),
    *(Sent("GET", f"/.well-known/{name}", authorization=None) for name in ("jwks.json", "oauth-authorization-server")),
    *(Sent("GET", "/v1/me", authorization=value) for value in ("Bearer x", "Bearer", "Basic abc", "Bearer a b")),
    *(Sent(method, "/v1/me") for method in ("POST", "PUT", "HEAD", "OPTIONS")),
    *(Sent("GET", path) for path in ("/v1/nothing", "/v1/me/", "/v1//me", "/v1/%6De", "/v1/users/usr%2Fx")),
    *(Sent("GET", path) for path in ("/v1/users/usr_x", "/v1/users/%00", "/v1/users/%ff", "/v1/files/file_x/content")),
    *(
        Sent("POST", "/v1/users", b'{"email":"t@b.de","name":"x"}', {"content-type": kind})
        for kind in ("", "text/plain")
    ),
    *(
        Sent("PATCH", "/v1/me", body, JSON)
        for body in (b"{}", b'{"name":null}', b'{"name":"Z"}', b'{"email":"z@z.de"}')
    ),
    *(Sent("POST", "/v1/files", body, PARTS) for body in (b"", b"x", NO_FILE)),
    Sent("POST", "/v1/files", b"x", JSON),
    *(Sent("POST", "/v1/api-keys", b'{"name":"k","scopes":%s}' % scopes, JSON) for scopes in (b"[]", b'["x"]')),
    Sent("POST", "/v1/applications", b'{"name":"k","scopes":["users:read"],"redirect_uris":["http://x.de/"]}', JSON),
    *(Sent("POST", f"/v1/workflows/{name}/runs", b'{"input":{}}', JSON) for name in ("none", "catalog_import")),
    *(Sent("POST", path) for path in ("/v1/workflow-runs/wfr_x/cancel", "/v1/users/usr_x/invitation")),
    *(Sent("GET", f"/v1/workflow-runs?{query}") for query in ("status=x", "workflow=none")),
    *(Sent("POST", "/v1/users/{me}/invitation"), Sent("DELETE", "/v1/users/{me}")),
    *(Sent("PATCH", "/v1/users/{me}", body, JSON) for body in (b'{"role":"viewer"}', b'{"status":"inactive"}')),
    *(Sent("GET", "/v1/me", headers={"x-request-id": each}) for each in ("x", "3F2504E0-4F89-11D3-9A0C-0305E82C3301")),
]


@pytest.fixture(params=["fake", "server"])
def either(request: pytest.FixtureRequest) -> Platform:
    """The fake and the server, on fresh data."""
    found: Platform = request.getfixturevalue(f"redcore_{request.param}")
    found.lab.reset()
    return found


def exchange(sent: Sent, headers: dict[str, str], to: Platform, http: httpx.Client) -> httpx.Response:
    """Send a request, unchanged."""
    if isinstance(to, ReferenceServer):
        request = httpx.Request(sent.method, f"{to.origin}{sent.path}", headers=headers, content=sent.content)
        return http.send(request)
    path, _, query = sent.path.partition("?")
    answer = to.platform.answer(Asked(sent.method, "https://api.blueround.com", path, query, headers, sent.content))
    return httpx.Response(answer.status, headers=answer.headers, content=answer.content)


def test_requests_are_answered_alike(redcore_server: ReferenceServer) -> None:
    """Valid and invalid ones, at the edges of every rule."""
    answers: list[list[dict[str, Any]]] = []
    with httpx.Client(trust_env=False) as http:
        for each in both(redcore_server):
            with Client(**each.arguments) as client:
                me = client.users.get_me().id
            answers.append([])
            for asked in REQUESTS:
                sent = attrs.evolve(asked, path=asked.path.replace("{me}", me))
                key = each.arguments["api_key"]
                bearer = {"authorization": sent.authorization.format(key=key)} if sent.authorization else {}
                answers[-1].append(essence(exchange(sent, {**sent.headers, **bearer}, each, http)))

    unlike = [(sent, of_both) for sent, *of_both in zip(REQUESTS, *answers, strict=True) if of_both[0] != of_both[1]]
    assert unlike == []


def test_numbers_are_the_same() -> None:
    """Of rate limits and lifetimes."""
    settings = Settings()
    enterprise = (settings.enterprise_per_minute, settings.enterprise_per_second)
    anonymous = (settings.anonymous_per_minute, settings.anonymous_per_second)
    assert attrs.astuple(limits.API_KEY) == attrs.astuple(API_KEY)
    assert attrs.astuple(limits.APPLICATION) == enterprise
    assert attrs.astuple(limits.ANONYMOUS) == anonymous
    assert attrs.astuple(limits.FAILED) == (settings.anonymous_per_minute, None)
    assert LIFETIME.total_seconds() == platform.REPLAY_S
    assert (tokens.ACCESS_TOKEN_S, tokens.REFRESH_TOKEN_S) == (ACCESS_TOKEN_S, REFRESH_TOKEN_S)
    assert (grants.CODE_S, grants.DEVICE_CODE_S, grants.INTERVAL_S) == (CODE_S, DEVICE_CODE_S, INTERVAL_S)


def test_the_contract_is_the_same() -> None:
    """The fake reads the copy that is part of the SDK."""
    assert dict(contract().statuses) == dict(statuses())


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_roles_have_the_same_scopes(role: Role) -> None:
    """Whatever scopes exist."""
    assert access.ROLE_SCOPES[role] == role_ceiling(role, frozenset(contract().scopes))


def test_searches_find_the_same(redcore_server: ReferenceServer) -> None:
    """In any case and Unicode form; letters whose other case is longer, such as ß, too."""
    names = ("Straße", "STRASSE", "İstanbul", "ΣΑΣ", "σας", "Cafe\u0301", "100%_b", "ﬁsh", "日本語", "Kelvin")
    wanted = ("ß", "SS", "ẞ", "i", "İ", "İSTANBUL", "ς", "ΣΑΣ", "é", "\u0301", "%", "_", "FI", "日", "\u212a")
    found: list[list[list[str]]] = []
    for each in both(redcore_server):
        with Client(**each.arguments) as client:
            for number, name in enumerate(names):
                client.products.create(name=name, sku=f"{number}", price=1)
            found.append([sorted(product.name for product in client.products.list(q=q)) for q in wanted])

    assert dict(zip(wanted, found[1], strict=True)) == dict(zip(wanted, found[0], strict=True))


def test_workflows_are_described_alike(redcore_server: ReferenceServer) -> None:
    """With the schemas of their input."""
    described: list[Any] = []
    for each in both(redcore_server):
        with Client(**each.arguments) as client:
            described.append([definition.to_json() for definition in client.workflows.list()])

    assert described[1] == described[0]


def test_five_invitations_an_hour_reach_an_address(either: Platform) -> None:
    """The sixth is refused."""
    with Client(**either.arguments) as client:
        user = client.users.create(email="ada@example.com", name="Ada")
        for _ in range(4):
            client.users.resend_invitation(user.id)
        with pytest.raises(ValidationError, match="invited too often"):
            client.users.resend_invitation(user.id)


def test_a_foreign_cursor_is_refused_in_the_same_words(either: Platform) -> None:
    """They say where a cursor comes from."""
    with Client(**either.arguments) as client, pytest.raises(ValidationError) as refused:
        client.users.list(cursor="x")

    issue = "is not a cursor of this listing with these filters; use the next_cursor of one of its pages"
    assert refused.value.details == (ErrorDetail(field="cursor", issue=issue),)


def test_secrets_are_redacted_alike_in_recorded_requests(redcore_server: ReferenceServer) -> None:
    """In the query, in forms and in JSON."""
    fields = ("client_secret", "refresh_token", "access_token", "token", "code", "code_verifier", "device_code")
    values = dict.fromkeys((*fields, "assertion", "password", "repeated", "key", "secret", "name"), "v")
    form = urlencode(values).encode()
    recorded: list[Any] = []
    for each in both(redcore_server):
        with Client(**each.arguments) as client:
            with pytest.raises(RedcoreAPIError):
                client.request("GET", "/users", query=values)
            with pytest.raises(RedcoreAPIError):
                client.request("PATCH", "/me", json={"in": [values]})
            with pytest.raises(RedcoreAPIError):
                client.request("PATCH", "/me", content=form, content_type=FORM["content-type"])
        recorded.append([(seen.method, seen.path, seen.status, seen.query, seen.body) for seen in each.lab.requests()])

    assert recorded[1] == recorded[0]
    assert recorded[0][0][3] == {name: "v" if name == "name" else "***" for name in values}
