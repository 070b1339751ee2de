"""The worst requests and files of each kind that `bounds.py` measures: as large as allowed, and expensive to read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

import attrs

BODY = 1024 * 1024  # the largest JSON body
FORM = 64 * 1024
HEAD = 60_000
JSON = b"application/json"
FORM_TYPE = b"application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@attrs.frozen
class Kind:
    """A request, and what makes it expensive."""

    name: str
    request: bytes = attrs.field(repr=False)


def repeated(piece: bytes, size: int, *, before: bytes = b"", after: bytes = b"", between: bytes = b",") -> bytes:
    """Repeat a piece up to a size, with a start and an end."""
    count = (size - len(before) - len(after)) // (len(piece) + len(between))
    return before + between.join([piece] * count) + after


def numbered(piece: str, size: int, *, before: str = "", after: str = "", between: str = ",") -> bytes:
    """The same with pieces that differ by a number, for `%x`."""
    count = (size - len(before) - len(after)) // (len(piece) + len(between) + 4)
    return (before + between.join(piece % number for number in range(count)) + after).encode()


def chunked(body: bytes, size: int, extension: bytes = b"") -> bytes:
    """Frame a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(chunks) + b"0\r\n"


def bodies() -> Mapping[str, tuple[str, bytes]]:
    """JSON bodies, with the operation they are sent to."""
    deep, key = b"[" * 60 + b"]" * 60, '{"name":"a","scopes":['
    return {
        "unknown fields": ("POST /v1/users", numbered('"%x":1', BODY, before="{", after="}")),
        "unknown fields, few": ("POST /v1/users", numbered('"%x":1', 10_000, before="{", after="}")),
        "a long field": ("POST /v1/users", b'{"' + b"k" * (BODY - 10) + b'":1}'),
        "the same field": ("POST /v1/users", repeated(b'"a":1', BODY, before=b"{", after=b"}")),
        "wrong entries": ("POST /v1/api-keys", repeated(b"1", BODY, before=key.encode(), after=b"]}")),
        "entries that differ": ("POST /v1/api-keys", numbered("%d", BODY, before=key, after="]}")),
        "objects as entries": ("POST /v1/api-keys", repeated(b"{}", BODY, before=key.encode(), after=b"]}")),
        "lists as entries": ("POST /v1/api-keys", repeated(b"[]", BODY, before=key.encode(), after=b"]}")),
        "open brackets": ("POST /v1/users", b"[" * BODY),
        "deep lists": (
            "POST /v1/workflows/catalog_export/runs",
            repeated(deep, BODY, before=b'{"input":{"a":[', after=b"]}}"),
        ),
        "unknown inputs": (
            "POST /v1/workflows/catalog_export/runs",
            numbered('"%x":1', BODY, before='{"input":{', after="}}"),
        ),
        "unknown inputs, few": (
            "POST /v1/workflows/catalog_export/runs",
            numbered('"%x":1', 9_000, before='{"input":{', after="}}"),
        ),
        "U+0000": ("POST /v1/users", numbered('"%x":"\\u0000"', 10_000, before="{", after="}")),
        "a long text": ("POST /v1/users", b'{"name":"' + b"a" * (BODY - 50) + b'","email":"a"}'),
        "a long e-mail": ("POST /v1/users", b'{"name":"a","email":"' + b"a@" * (BODY // 2 - 50) + b'"}'),
        "blanks": ("POST /v1/users", b'{"email":"a@b.example","name":"' + b" " * (BODY - 60) + b'"}'),
        "invisible characters": (
            "POST /v1/users",
            b'{"email":"a@b.example","name":"' + "\u200ba".encode() * (BODY // 4 - 60) + b'"}',
        ),
        "combining characters": (
            "POST /v1/products",
            b'{"name":"a","price":1,"sku":"' + "à̖".encode() * (BODY // 5 - 60) + b'"}',
        ),
        "commas in a text": ("POST /v1/users", b'{"name":"' + b"," * (BODY - 50) + b'","email":"a"}'),
        "escapes": ("POST /v1/users", b'{"name":"' + b"\\u00e9" * (BODY // 6 - 50) + b'","email":"a"}'),
        "a long number": ("POST /v1/products", b'{"name":"a","sku":"b","price":' + b"9" * (BODY - 60) + b"}"),
        "a long fraction": ("POST /v1/products", b'{"name":"a","sku":"b","price":1.' + b"9" * (BODY - 60) + b"}"),
        "long addresses": (
            "POST /v1/applications",
            repeated(
                b'"https://' + b"a." * 20_000 + b'"',
                BODY,
                before=b'{"name":"a","scopes":["admin"],"redirect_uris":[',
                after=b"]}",
            ),
        ),
        "white space": ("POST /v1/users", b"{" + b" " * (BODY - 2) + b"}"),
    }


def forms() -> Mapping[str, bytes]:
    """Forms of OAuth."""
    start = b"grant_type=authorization_code&client_id=a&"
    return {
        "many fields": start + b"a=b&" * 16_000,
        "empty fields": start + b"&" * 60_000,
        "encoded": start + b"code=" + b"%41" * 20_000,
        "a long code": start + b"code=" + b"a" * 60_000,
        "a long secret": b"grant_type=client_credentials&client_id=a&client_secret=" + b"a" * 60_000,
        "a long refresh token": b"grant_type=refresh_token&client_id=a&refresh_token=" + b"a" * 60_000,
        "many scopes": b"grant_type=client_credentials&client_id=a&client_secret=b&scope=" + b"a+" * 30_000,
        "a long assertion": b"grant_type=urn:ietf:params:oauth:grant-type:saml2-bearer&assertion=" + b"QUFB" * 15_000,
    }


def multiparts() -> Mapping[str, bytes]:
    """Multipart forms, of which the boundary is `b`."""
    return {
        "parts": b"--b\r\n\r\n\r\n" * 100_000,
        "headers": b"--b\r\n" + b"a:b\r\n" * 200_000,
        "a long header": b"--b\r\na:" + b"b" * BODY,
        "a preamble": b"\r\n--" * 250_000,
        "line ends": PART + b"\r\n" * 2_000_000 + b"\r\n--b--\r\n",
        "near boundaries": PART + b"\r\n--" * 1_000_000 + b"\r\n--b--\r\n",
        "an epilogue": PART + b"x\r\n--b--\r\n" + b"\r\n--b" * 700_000,
        "a long name": PART + b'x\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + b"a" * BODY,
    }


def heads(file_id: str) -> Mapping[str, tuple[str, bytes]]:
    """Request lines and header fields; conditions are those of a file that exists."""
    return {
        "many fields": ("GET /v1/me", b"a:b\r\n" * (HEAD // 5)),
        "fields that differ": ("GET /v1/me", numbered("a%x:b\r\n", HEAD, between="")),
        "a long field": ("GET /v1/me", b"a: " + b"b" * HEAD + b"\r\n"),
        "cookies": ("GET /oauth/device", b"Cookie: " + b"a=b;" * (HEAD // 4) + b"\r\n"),
        "quoted cookies": ("GET /oauth/device", b'Cookie: redcore_session="' + b"\\303" * (HEAD // 4) + b'"\r\n'),
        "ranges": (f"GET /v1/files/{file_id}/content", b"Range: bytes=" + b"0-1," * (HEAD // 4) + b"\r\n"),
        "tags": (f"GET /v1/files/{file_id}/content", b"If-None-Match: " + b'"a",' * (HEAD // 4) + b"\r\n"),
        "a tag with blanks": (f"GET /v1/files/{file_id}/content", b'If-None-Match: "a"' + b" " * HEAD + b"x\r\n"),
        "parameters of a type": ("POST /v1/files", b'Content-Type: multipart/form-data; a="' + b";" * HEAD + b"\r\n"),
        "forwarded": ("GET /oauth/device", b"X-Forwarded-For: " + b"1.1.1.1," * (HEAD // 8) + b"\r\n"),
        "languages": ("GET /oauth/device", b"Accept-Language: " + b"a;q=0.1," * (HEAD // 8) + b"\r\n"),
        "origins": ("OPTIONS /v1/me", b"Origin: " + b"a" * HEAD + b"\r\nAccess-Control-Request-Method: GET\r\n"),
        "asked headers": (
            "OPTIONS /v1/me",
            b"Origin: http://a\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: "
            + b"a," * (HEAD // 2)
            + b"\r\n",
        ),
        "parameters of a probe": ("GET /readyz?" + "&a" * (HEAD // 2), b""),
        "parameters of a page": ("GET /oauth/device?" + "&a" * (HEAD // 2), b""),
        "query parameters": ("GET /v1/users?" + "a=b&" * (HEAD // 4), b""),
        "query parameters, few": ("GET /v1/users?" + "&".join(f"{'a' * 1000}{n}=b" for n in range(50)), b""),
        "a long search": ("GET /v1/users?q=" + "%25" * (HEAD // 3), b""),
        "a long cursor": ("GET /v1/users?cursor=" + "A" * HEAD, b""),
        "a long number": ("GET /v1/users?offset=" + "9" * HEAD, b""),
        "a deep path": ("GET " + "/v1" + "/a" * (HEAD // 2), b""),
        "an encoded path": ("GET /v1/users/" + "%41" * (HEAD // 3), b""),
        "a path of tokens": ("GET /" + "eyJ" * (HEAD // 3), b""),
        "dots": ("GET /docs" + "/.." * (HEAD // 3), b""),
        "scopes": ("GET /oauth/authorize?response_type=code&client_id=a&scope=" + "a+" * (HEAD // 2), b""),
        "a state": ("GET /oauth/authorize?response_type=code&client_id=a&state=" + "%22" * (HEAD // 3), b""),
        "a device code": ("GET /oauth/device?user_code=" + "%22" * (HEAD // 3), b""),
        "a return address": ("GET /saml/login?organisation=a&return_to=" + "/%22" * (HEAD // 4), b""),
    }


def tokens() -> Mapping[str, bytes]:
    """Bearer tokens."""
    return {
        "a long token": b"A" * HEAD,
        "a token with long parts": b".".join([b"eyJhbGciOiJSUzI1NiJ9", b"e30" * (HEAD // 4), b"A" * (HEAD // 8)]),
        "a token of dots": b"." * HEAD,
        "a long key": b"rk_live_" + b"A" * HEAD,
    }


def hostile_requests(origin: str, new_key: Callable[[], str], file_id: str) -> list[Kind]:
    """Return a plain request, and all kinds of expensive ones.

    Args:
        origin: Address of the server.
        new_key: Makes an API key; each kind has its own, and with it its own rate limit.
        file_id: A small file that can be downloaded.
    """
    host = urlsplit(origin).netloc.encode()

    def request(line: str, body: bytes | None, media: bytes, *fields: bytes, framing: bytes | None = None) -> bytes:
        """Return a request; a body has its length, unless it is framed already."""
        length = framing or (b"" if body is None else b"Content-Length: %d\r\n" % len(body))
        head = line.encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + b"".join(fields)
        kind = b"" if body is None else b"Content-Type: " + media + b"\r\n"
        return head + kind + length + b"\r\n" + (body or b"")

    def bearer() -> bytes:
        return b"Authorization: Bearer " + new_key().encode() + b"\r\n"

    def in_chunks(line: str, body: bytes, media: bytes, trailers: bytes = b"") -> bytes:
        """Return a request with a body that is in chunks already."""
        return request(line, body + trailers + b"\r\n", media, bearer(), framing=b"Transfer-Encoding: chunked\r\n")

    users = numbered('"%x":1', 100_000, before="{", after="}")
    multipart = b"multipart/form-data; boundary=b"
    secret = b"Authorization: Basic " + b"QUFB" * 15_000 + b"\r\n"
    wholes = {
        "plain": request("GET /v1/me", None, b"", bearer()),
        **{f"JSON: {name}": request(line, body, JSON, bearer()) for name, (line, body) in bodies().items()},
        **{f"form: {name}": request("POST /oauth/token", body, FORM_TYPE) for name, body in forms().items()},
        **{f"multipart: {name}": request("POST /v1/files", b, multipart, bearer()) for name, b in multiparts().items()},
        **{
            f"head: {name}": request(line, None, b"", bearer(), fields)
            for name, (line, fields) in heads(file_id).items()
        },
        **{
            f"bearer: {name}": request("GET /v1/me", None, b"", b"Authorization: Bearer " + token + b"\r\n")
            for name, token in tokens().items()
        },
        "stream: chunks of one byte": in_chunks("POST /v1/users", chunked(users, 1), JSON),
        "stream: a file in chunks of one byte": in_chunks(
            "POST /v1/files", chunked(PART + b"x" * 100_000, 1), multipart
        ),
        "stream: chunk extensions": in_chunks("POST /v1/users", chunked(users, 4000, b";" + b"a" * 4000), JSON),
        "stream: trailers": in_chunks("POST /v1/users", chunked(b"{}", 2), JSON, b"a:b\r\n" * 12_000),
        "stream: a form in chunks of one byte": in_chunks("POST /oauth/token", chunked(b"a=b&" * 12_000, 1), FORM_TYPE),
        "SAML: a response": request("POST /saml/acs", b"SAMLResponse=" + b"PGE%2B" * 10_000, FORM_TYPE),
        "basic: a long secret": request("POST /oauth/token", b"grant_type=client_credentials", FORM_TYPE, secret),
    }
    return [Kind(name, whole) for name, whole in wholes.items()]


def _zip(write: Callable[[zipfile.ZipFile], None], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        write(archive)
    return content.getvalue()


def hostile_files() -> Mapping[str, tuple[str, str, bytes]]:
    """Return files for workflows: workflow, name and content."""

    def bomb(archive: zipfile.ZipFile) -> None:
        archive.writestr("index.html", b"x")
        archive.writestr("a.html", b"\0" * 500_000_000)

    def crowd(count: int, archive: zipfile.ZipFile) -> None:
        for number in range(count):
            archive.writestr(f"{number}.html", b"")

    rows, megabyte = 40_000, 10**6
    return {
        "import: rows with problems": ("catalog_import", "a.csv", b"sku,name,price\n" + b"a,,x\n" * (4 * rows)),
        "import: short rows": ("catalog_import", "a.csv", b"sku,name,price\n" + b"a\n" * (4 * rows)),
        "import: blank rows": ("catalog_import", "a.csv", b"sku,name,price\n" + b",,\n" * (4 * rows)),
        "import: empty lines": ("catalog_import", "a.csv", b"sku,name,price\n" + b"\n" * megabyte),
        "import: open quotes": ("catalog_import", "a.csv", b"sku,name,price\n" + b'"a\n' * (4 * rows)),
        "import: lines of JSON": ("catalog_import", "a.jsonl", b"{}\n" * (4 * rows)),
        "import: lists of JSON": ("catalog_import", "a.jsonl", b'{"sku":' + b"[" * 500_000 + b"]" * 500_000 + b"}\n"),
        "import: the same person": ("user_import", "a.csv", b"email,name\n" + b"a@b.example,A\n" * rows),
        "import: good products": (
            "catalog_import",
            "a.csv",
            b"sku,name,price\n" + b"".join(b"s%d,Name,1\n" % number for number in range(rows)),
        ),
        "archive: a bomb": ("docs_publish", "a.zip", _zip(bomb)),
        "archive: many files": ("docs_publish", "a.zip", _zip(partial(crowd, 10_000))),
        "archive: too many files": ("docs_publish", "a.zip", _zip(partial(crowd, 20_000))),
    }
