"""The token endpoint over HTTP: answers, errors of RFC 6749 section 5.2, and requests that are never accepted."""

from __future__ import annotations

import base64
from urllib.parse import quote

import httpx
import pytest
from joserfc import jws
from tests.server.support.tenants import Client

from redcore_server.auth.oauth.scope import narrow

pytestmark = pytest.mark.anyio

GRANT = {"grant_type": "client_credentials"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


async def test_answer_has_all_of_the_contract(http: httpx.AsyncClient, client: Client) -> None:
    """Access and refresh token, their type, seconds and scope; the answer must not be cached."""
    response = await http.post("/oauth/token", data=GRANT, auth=client.basic)

    body = response.json()
    assert sorted(body) == ["access_token", "expires_in", "refresh_token", "scope", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert body["scope"] == "users:read users:write"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["Content-Type"] == "application/json"


async def test_access_token_is_an_rfc_9068_jwt(http: httpx.AsyncClient, client: Client) -> None:
    """Header and claims are those of RFC 9068 section 2, and ours."""
    response = await http.post("/oauth/token", data=GRANT, auth=client.basic)

    token = jws.extract_compact(response.json()["access_token"].encode())
    header = token.headers()
    claims = httpx.Response(200, content=token.payload).json()
    assert (header["typ"], header["alg"], sorted(header)) == ("at+jwt", "RS256", ["alg", "kid", "typ"])
    expected = ["aud", "client_id", "exp", "gid", "iat", "iss", "jti", "org", "plan", "scope", "sub"]
    assert sorted(claims) == expected
    assert claims["sub"] == claims["client_id"] == client.id
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("unknown", ["x=&x=", "x=%FF", "x=\xff", "%FF=1", "x=%00", "x=%ED%A0%80", "&&=&", "&x=1" * 500])
async def test_unknown_parameters_are_ignored(http: httpx.AsyncClient, client: Client, unknown: str) -> None:
    """Whatever is in them (RFC 6749 section 3.2)."""
    response = await http.post(
        "/oauth/token",
        content=f"grant_type=client_credentials&{unknown}".encode("latin-1"),
        auth=(client.id, client.secret),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize("known", ["scope=%FF", "scope=\xff", "scope=&scope="])
async def test_known_parameters_are_utf_8_and_occur_once(http: httpx.AsyncClient, client: Client, known: str) -> None:
    """The message never quotes the body, which holds secrets."""
    response = await http.post(
        "/oauth/token",
        content=f"grant_type=client_credentials&{known}".encode("latin-1"),
        auth=(client.id, client.secret),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert response.json()["error_description"] in {"A parameter is not UTF-8.", "A parameter occurs more than once."}


async def test_secret_in_the_form_works_too(http: httpx.AsyncClient, client: Client) -> None:
    """`client_secret_post` is accepted like `client_secret_basic`."""
    form = {**GRANT, "client_id": client.id, "client_secret": client.secret}

    response = await http.post("/oauth/token", data=form)

    assert response.status_code == 200


async def test_basic_credentials_are_form_decoded(http: httpx.AsyncClient, client: Client) -> None:
    """RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined."""
    encoded = client.id.replace("_", quote("%5F", safe="%"))

    response = await http.post("/oauth/token", data=GRANT, headers=basic(f"{encoded}:{client.secret}"))

    assert response.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"app_x\0:y").decode(),
        "Basic",
        "Bearer abc",
        "Basic " + base64.b64encode(b"app_unknown:secret").decode(),
        "Basic " + base64.b64encode(b":").decode(),
    ],
)
async def test_unusable_client_credentials_are_refused_alike(http: httpx.AsyncClient, authorization: str) -> None:
    """Malformed, unknown and empty credentials get one answer: 401 and how to authenticate."""
    response = await http.post("/oauth/token", data=GRANT, headers={"Authorization": authorization})

    assert response.status_code == 401
    expected = {"error": "invalid_client", "error_description": "The client could not be authenticated."}
    assert response.json() == expected
    assert response.headers["WWW-Authenticate"].startswith("Basic ")
    assert response.headers["Cache-Control"] == "no-store"


async def test_wrong_secret_is_refused(http: httpx.AsyncClient, client: Client, stranger: Client) -> None:
    """A secret is valid for its own client only, by either method; without a secret the client is refused."""
    forms = [
        {**GRANT, "client_id": client.id, "client_secret": stranger.secret},
        {**GRANT, "client_id": client.id},
        GRANT,
    ]

    answers = [await http.post("/oauth/token", data=form) for form in forms]
    answers.append(await http.post("/oauth/token", data=GRANT, headers=basic(f"{client.id}:{stranger.secret}")))

    assert [answer.status_code for answer in answers] == [401] * 4
    assert {answer.json()["error"] for answer in answers} == {"invalid_client"}


async def test_two_ways_to_authenticate_are_refused(http: httpx.AsyncClient, client: Client, stranger: Client) -> None:
    """RFC 6749 section 2.3: one method per request, and one client."""
    twice = {**GRANT, "client_id": client.id, "client_secret": client.secret}
    other = {**GRANT, "client_id": stranger.id}

    answers = [await http.post("/oauth/token", data=form, auth=client.basic) for form in (twice, other)]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(400, "invalid_request")] * 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=%00%22%5C%C3%BC", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=%FF", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=nonsense", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=grt_%7Bx%7D.y", "invalid_grant"),
        ("grant_type=client_credentials&scope=users:read+admin", "invalid_scope"),
        ("grant_type=client_credentials&scope=nonsense", "invalid_scope"),
        ("&".join(f"a{n}=1" for n in range(60)), "invalid_request"),
    ],
)
async def test_bad_requests_have_their_rfc_error(
    http: httpx.AsyncClient, client: Client, body: str, error: str
) -> None:
    """Each mistake has its code of RFC 6749 section 5.2."""
    response = await http.post("/oauth/token", content=body, headers=FORM, auth=client.basic)

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", ""])
async def test_only_forms_are_read(http: httpx.AsyncClient, client: Client, content_type: str) -> None:
    """RFC 6749 section 4: parameters come form-encoded in the body."""
    headers = {"Content-Type": content_type}

    response = await http.post("/oauth/token", content="{}", headers=headers, auth=client.basic)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_credentials_in_the_url_are_not_read(http: httpx.AsyncClient, client: Client) -> None:
    """A URL ends up in logs; credentials in it are ignored."""
    url = f"/oauth/token?client_id={client.id}&client_secret={client.secret}&grant_type=client_credentials"

    assert (await http.post(url, data={"a": "b"})).json()["error"] == "invalid_request"
    assert (await http.post(url, data=GRANT)).json()["error"] == "invalid_client"


async def test_large_body_is_refused(http: httpx.AsyncClient, client: Client) -> None:
    """No endpoint reads more than 64 KiB."""
    form = {**GRANT, "scope": "x" * 65536}

    response = await http.post("/oauth/token", data=form, auth=client.basic)

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize(("path", "field"), [("/oauth/revoke", "token"), ("/oauth/introspect", "token")])
async def test_token_endpoints_need_client_and_token(
    http: httpx.AsyncClient, client: Client, path: str, field: str
) -> None:
    """A client must authenticate to introspect or revoke, and name the token."""
    anonymous = await http.post(path, data={field: "x"})
    empty = await http.post(path, data={"token_type_hint": "x"}, auth=client.basic)

    assert (anonymous.status_code, anonymous.json()["error"]) == (401, "invalid_client")
    assert (empty.status_code, empty.json()["error"]) == (400, "invalid_request")


async def test_wrong_method_and_unknown_path(http: httpx.AsyncClient) -> None:
    """The status is that of HTTP, the body that of OAuth."""
    method = await http.get("/oauth/token")
    path = await http.get("/oauth/nowhere")

    assert (method.status_code, method.headers["Allow"]) == (405, "POST")
    assert (path.status_code, path.json()["error"]) == (404, "invalid_request")


@pytest.mark.parametrize(
    ("requested", "ceilings", "granted"),
    [
        (None, [["b", "a"]], "a b"),
        ("  ", [["a"]], "a"),
        ("a", [["a", "b"]], "a"),
        ("b a b", [["a", "b"]], "a b"),
        (None, [["admin"]], "admin"),
        ("a", [["admin"]], "a"),
        ("a", [["admin"], ["a"]], "a"),
        (None, [["a", "b"], ["b"]], "b"),
        (None, [["a", "gone"]], "a"),
    ],
)
def test_scope_is_narrowed(requested: str | None, ceilings: list[list[str]], granted: str) -> None:
    """The whole first ceiling unless less is requested, never more than any ceiling; `admin` includes all."""
    assert narrow(requested, ceilings, frozenset({"a", "b", "admin"})) == granted


@pytest.mark.parametrize("verifier", ["short", "v" * 129, "ü" * 43, "v" * 43 + "\n"])
async def test_malformed_code_verifier_is_refused_with_every_grant(
    http: httpx.AsyncClient, client: Client, verifier: str
) -> None:
    """RFC 7636 section 4.1 defines its form, whether or not the grant uses it."""
    response = await http.post("/oauth/token", data={**GRANT, "code_verifier": verifier}, auth=client.basic)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_blank_code_verifier_counts_as_not_sent(http: httpx.AsyncClient, client: Client) -> None:
    """RFC 6749 section 3.2."""
    response = await http.post("/oauth/token", data={**GRANT, "code_verifier": ""}, auth=client.basic)

    assert response.status_code == 200


async def test_line_breaks_are_part_of_the_path(http: httpx.AsyncClient, client: Client) -> None:
    """A path with a line break is another path, though URL parsers drop it."""
    response = await http.post("/oauth/to%0Aken", data=GRANT, auth=client.basic)

    assert response.status_code == 404
