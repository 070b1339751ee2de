"""How a call is encoded as a request."""

from __future__ import annotations

import datetime as dt
import enum
import io
import math
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from starlette.datastructures import UploadFile
from tests.core.world import BASE_URL, content_of

from redcore import UNSET, UserRole
from redcore._base.operation import Operation
from redcore._spec import operations
from redcore._wire.encoding import Request, call_headers, dump, encode, filled
from redcore._wire.multipart import FilePart, Multipart
from redcore.exceptions import ArgumentError


def encoded(operation: Operation[Any]) -> Request:
    return encode(operation, BASE_URL, call_headers(operation, "req"))


def sent(request: Request) -> Iterable[bytes]:
    """The pieces of a streamed body."""
    assert isinstance(request.content, Multipart)
    return request.content


class Unseekable(io.RawIOBase):
    def readable(self) -> bool:
        return True


class OnlyReadable:
    def read(self, _: int = -1) -> bytes:
        return b""


class Name(str, enum.Enum):  # noqa: UP042 (it is what applications have)
    """An enum of an application, whose members format as `Name.ADMIN`."""

    ADMIN = "admin"


class Number(int, enum.Enum):
    TEN = 10


class Lazy(str):
    """A string that shows something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "shown"


class Fraction(float):
    """A float of another library."""


class TestPath:
    @pytest.mark.parametrize("value", [Name.ADMIN, Lazy("admin")])
    def test_strings_of_other_classes_are_what_they_hold(self, value: str) -> None:
        """They may format as something else."""
        assert encoded(operations.users_get(value)).url == f"{BASE_URL}/users/admin"

    @pytest.mark.parametrize(
        ("value", "segment"),
        [
            ("usr_98765", "usr_98765"),
            ("../x", "..%2Fx"),
            ("a/b", "a%2Fb"),
            ("%2e%2e", "%252e%252e"),
            ("..\\x", "..%5Cx"),
            ("a?b#c", "a%3Fb%23c"),
            ("a b\n", "a%20b%0A"),
            ("...", "..."),
            ("ü", "%C3%BC"),
            ("{x}", "%7Bx%7D"),
        ],
    )
    def test_a_value_stays_in_its_segment(self, value: str, segment: str) -> None:
        """Whatever an id holds, it is one segment of the path, also for the HTTP library."""
        request = encoded(operations.users_get(value))

        assert request.url == f"{BASE_URL}/users/{segment}"
        assert httpx.URL(request.url).raw_path == f"/v1/users/{segment}".encode()

    @pytest.mark.parametrize("value", ["", ".", ".."])
    def test_invalid_ids_are_refused(self, value: str) -> None:
        """Empty and dotted segments would name another resource."""
        with pytest.raises(ArgumentError, match="user_id must not be"):
            encoded(operations.users_get(value))

    @pytest.mark.parametrize("value", [None, 7, b"usr_1", ["usr_1"]])
    def test_ids_that_are_not_strings_are_refused(self, value: object) -> None:
        """An id is a string; the message says what was given."""
        with pytest.raises(ArgumentError, match=f"user_id must be a string, not {type(value).__name__}"):
            encoded(operations.users_get(value))  # type: ignore[arg-type]

    def test_a_lone_surrogate_is_refused(self) -> None:
        """A string that cannot be encoded as UTF-8 is refused."""
        with pytest.raises(ArgumentError, match="user_id is not valid Unicode"):
            encoded(operations.users_get("\ud800"))

    def test_several_values(self) -> None:
        """Each value fills its own place, braces and all."""
        assert filled("/a/{x}/b/{y}", {"x": "{y}", "y": "1"}) == "/a/%7By%7D/b/1"


class TestQuery:
    def test_parameters_left_out_are_not_sent(self) -> None:
        """None sends no parameter; without any there is no question mark."""
        assert encoded(operations.users_list()).url == f"{BASE_URL}/users"
        assert encoded(operations.users_list(offset=0, q="")).url == f"{BASE_URL}/users?offset=0&q="

    @pytest.mark.parametrize("q", ["a&b=c", "ü +%20", "#?/", "\x00\n", "…"])
    def test_text_arrives_as_it_was_given(self, q: str) -> None:
        """Any text arrives whole, also through the HTTP library."""
        sent = httpx.URL(encoded(operations.users_list(q=q, role=UserRole.ADMIN)).url)

        assert parse_qsl(sent.query.decode(), keep_blank_values=True) == [("role", "admin"), ("q", q)]

    def test_strings_and_numbers_of_other_classes_are_what_they_hold(self) -> None:
        """They may format as something else."""
        asked = operations.users_list(role=Name.ADMIN, q=Lazy("ada"), limit=Number.TEN)  # type: ignore[arg-type]

        assert urlsplit(encoded(asked).url).query == "limit=10&role=admin&q=ada"

    @pytest.mark.parametrize("value", [["a", "b"], {"a": "b"}, ("a",)])
    def test_several_values_are_refused(self, value: Any) -> None:
        """No parameter of the API takes several."""
        with pytest.raises(ArgumentError, match=f"q must be a single value, not {type(value).__name__}"):
            encoded(operations.users_list(q=value))

    def test_what_a_query_does_not_have_is_named(self) -> None:
        """The error says which argument it is."""
        with pytest.raises(ArgumentError, match="cursor: a value of type bytes cannot be sent"):
            encoded(operations.users_list(cursor=cast("Any", b"cursor")))

    def test_moments_and_flags(self) -> None:
        """Datetimes have a Z, flags are spelled as in JSON."""
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        asked: Operation[None] = Operation(
            name="x", method="GET", path="/x", shape="nothing", query={"since": moment, "all": True}
        )

        assert urlsplit(encoded(asked).url).query == "since=2026-01-01T00%3A00%3A00Z&all=true"

    def test_a_lone_surrogate_is_refused(self) -> None:
        """A string that cannot be encoded as UTF-8 is refused."""
        with pytest.raises(ArgumentError, match="q is not valid Unicode"):
            encoded(operations.users_list(q="\udfff"))


class TestBody:
    def test_json(self) -> None:
        """Fields that are UNSET are left out, None is null."""
        body = {"name": "ci", "mode": UNSET, "expires_at": None}
        request = encoded(Operation(name="x", method="POST", path="/x", shape="nothing", body=body))

        assert msgspec.json.decode(content_of(request)) == {"name": "ci", "expires_at": None}
        assert request.headers["Content-Type"] == "application/json"

    def test_values_of_other_classes_are_what_they_hold(self) -> None:
        """They may format as something else."""
        body = {
            "a": Name.ADMIN,
            "b": Lazy("x"),
            "c": Number.TEN,
            "d": Fraction(0.5),
            "e": True,
            Name.ADMIN: UserRole.ADMIN,
        }
        request = encoded(Operation(name="x", method="POST", path="/x", shape="nothing", body=body))

        assert content_of(request) == b'{"a":"admin","b":"x","c":10,"d":0.5,"e":true,"admin":"admin"}'

    def test_no_body(self) -> None:
        """A call without a body has no content type."""
        request = encoded(operations.users_get_me())

        assert request.content is None
        assert "Content-Type" not in request.headers

    def test_a_form(self) -> None:
        """The OAuth endpoints take forms (RFC 6749 section 4)."""
        request = encoded(operations.auth_token(grant_type="refresh_token", refresh_token="a+b&c"))

        assert request.content == b"grant_type=refresh_token&refresh_token=a%2Bb%26c"
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"

    def test_an_empty_form_is_no_body(self) -> None:
        """It has no content type either."""
        request = encoded(operations.auth_device_authorization())

        assert (request.content, request.headers.get("Content-Type")) == (None, None)

    def test_a_form_has_no_null(self) -> None:
        """Fields that are None are left out, as in a query."""
        request = encoded(operations.auth_token(grant_type=Name.ADMIN, scope=None))  # type: ignore[arg-type]

        assert content_of(request) == b"grant_type=admin"

    def test_a_lone_surrogate_is_refused(self) -> None:
        """A string that cannot be encoded as UTF-8 is refused."""
        with pytest.raises(ArgumentError, match="token is not valid Unicode"):
            encoded(operations.auth_revoke(token="\ud800"))

    def test_a_naive_datetime_is_refused(self) -> None:
        """A moment without a zone is refused before anything is sent."""
        with pytest.raises(ArgumentError, match="needs a time zone"):
            encoded(operations.api_keys_create(name="ci", scopes=[], expires_at=dt.datetime(2026, 1, 1)))  # noqa: DTZ001

    @pytest.mark.parametrize(
        ("body", "blamed"),
        [
            ({"name": "Engine", "price": Decimal(1)}, "price cannot be sent as JSON: a value of type Decimal"),
            ({"name": "Engine", "price": math.nan}, "price cannot be sent as JSON: nan"),
            ({7: "Engine"}, "the arguments cannot be sent as JSON: the names of an object are strings"),
            ([Decimal(1)], "the arguments cannot be sent as JSON: a value of type Decimal"),
        ],
    )
    def test_what_json_does_not_have_is_named(self, body: Any, blamed: str) -> None:
        """The error says which argument it is, as the server does of what it refuses."""
        with pytest.raises(ArgumentError, match=blamed):
            dump(body)

    def test_every_call_has_the_headers_of_the_sdk(self) -> None:
        """Headers of the call come with those of the SDK."""
        headers = encoded(operations.users_get_me()).headers

        assert headers["User-Agent"].startswith("redcore-python/")
        assert (headers["Accept"], headers["X-Request-ID"]) == ("application/json", "req")

    def test_the_repr_shows_neither_headers_nor_body(self) -> None:
        """A request in a log line reveals no secret."""
        request = encoded(operations.auth_revoke(token="canary"))

        url = f"{BASE_URL}/oauth/revoke"
        assert repr(request) == f"Request(operation='auth_revoke', method='POST', url='{url}')"


class TestMultipart:
    def test_bytes_can_be_sent_again(self) -> None:
        """Files and other fields are distinguished; the bytes are the same each time."""
        request = encoded(operations.files_upload(file=b"a,b", name="catalog.csv"))

        first, second = b"".join(sent(request)), b"".join(sent(request))
        boundary = request.headers["Content-Type"].removeprefix("multipart/form-data; boundary=")
        assert first.decode().split(f"--{boundary}") == [
            "",
            '\r\nContent-Disposition: form-data; name="name"\r\n\r\ncatalog.csv\r\n',
            (
                '\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n'
                "Content-Type: application/octet-stream\r\n\r\na,b\r\n"
            ),
            "--\r\n",
        ]
        assert (request.headers["Content-Length"], second) == (str(len(first)), first)
        assert request.replayable

    def test_a_name_that_is_none_is_left_out(self) -> None:
        """A form has no null; the file's own name counts."""
        request = encoded(operations.files_upload(file=b"a", name=None))  # type: ignore[arg-type]

        assert b'name="name"' not in b"".join(sent(request))

    @pytest.mark.parametrize(
        ("name", "media"),
        [
            ("a.csv", "text/csv"),
            ("a.csv.gz", "application/gzip"),
            ("a.tgz", "application/gzip"),
            ("a.tar.bz2", "application/x-bzip2"),
            ("a.json.xz", "application/x-xz"),
            ("a", "application/octet-stream"),
        ],
    )
    def test_a_type_is_guessed_for_what_is_sent(self, name: str, media: str) -> None:
        """A compressed text is no text."""
        request = encoded(operations.files_upload(file=FilePart.of(b"", name=name)))  # type: ignore[arg-type]

        assert f'filename="{name}"\r\nContent-Type: {media}\r\n'.encode() in b"".join(sent(request))

    def test_an_open_file_can_be_sent_again(self, tmp_path: Path) -> None:
        """A file on disk can be rewound and read a second time."""
        (tmp_path / "catalog.csv").write_bytes(b"a,b")

        with (tmp_path / "catalog.csv").open("rb") as file:
            assert encoded(operations.files_upload(file=file)).replayable

    @pytest.mark.parametrize("file", [Unseekable(), OnlyReadable()])
    def test_a_stream_cannot_be_sent_again(self, file: object) -> None:
        """A stream that cannot be rewound is sent once."""
        request = encoded(operations.files_upload(file=file))  # type: ignore[arg-type]
        assert request.replayable

        next(iter(request.content))  # type: ignore[arg-type]

        assert not request.replayable

    def test_sources_that_are_not_binary_files_are_refused(self, tmp_path: Path) -> None:
        """Text and text files are refused, with a hint what to pass instead."""
        (tmp_path / "catalog.csv").write_bytes(b"a,b")

        with (tmp_path / "catalog.csv").open() as text_file:
            for file in ("catalog.csv", io.StringIO("a,b"), text_file, None):
                with pytest.raises(ArgumentError, match="opened for reading in binary mode"):
                    encoded(operations.files_upload(file=file))  # type: ignore[arg-type]

    def test_a_closed_file_is_refused(self) -> None:
        """The error says so: web frameworks close theirs before a background task runs."""
        received = UploadFile(io.BytesIO())
        received.file.close()

        for closed in (received.file, received):
            with pytest.raises(ArgumentError, match="it is closed"):
                encoded(operations.files_upload(file=closed))  # type: ignore[arg-type]
