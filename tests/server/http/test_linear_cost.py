"""The cost of a text in a request is linear in its length, not quadratic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import argon2
import pytest
from starlette.requests import Request
from tests.server.support.processor import cpu_within

from redcore_server.api.multipart import Multipart
from redcore_server.auth.people.passwords import Passwords, problem
from redcore_server.auth.people.person import email_key
from redcore_server.errors import ValidationFailed
from redcore_server.http.access_log import without_secrets
from redcore_server.http.cookies import cookie
from redcore_server.http.ranges import select

pytestmark = pytest.mark.anyio

HEAD: Final = 60_000  # nearly the largest head or form
MARKS: Final = "a" + "\u0301\u0316" * (HEAD // 4)  # to normalise them, each is moved before all others
CPU_S: Final = 0.3  # a linear text of this size costs a hundredth, a squared one seconds or more


def conditional(name: str, value: bytes) -> Callable[[], object]:
    return lambda: select({name.encode(): value}, etag='"e"', size=1)


def cookies_of(value: bytes) -> Callable[[], object]:
    return lambda: cookie(Request({"type": "http", "headers": [(b"cookie", value)]}), "redcore_session")


def multipart_of(content_type: bytes) -> Callable[[], object]:
    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    def read() -> None:
        with pytest.raises(ValidationFailed):
            Multipart({b"content-type": content_type}, nothing())

    return read


TEXTS: Final[Mapping[str, Callable[[], object]]] = {
    "blanks in If-None-Match": conditional("if-none-match", b'"a"' + b" " * HEAD + b"x"),
    "blanks in If-Match": conditional("if-match", b"x" + b" " * HEAD + b"x"),
    "tags with blanks": conditional("if-none-match", (b'W/"a"' + b" " * 100) * (HEAD // 105)),
    "quotes": conditional("if-none-match", b'"' * HEAD),
    "open tags": conditional("if-none-match", b'"a ' * (HEAD // 3)),
    "blanks in Range": conditional("range", b"bytes=" + b", " * (HEAD // 2) + b"x"),
    "backslashes in a cookie": cookies_of(b'a="' + b"\\\\" * (HEAD // 2) + b'"'),
    "backslashes in our own cookie": cookies_of(b'redcore_session="' + b"\\\\" * (HEAD // 2) + b'"'),
    "quotes in a cookie": cookies_of(b'a="' + b'\\"' * (HEAD // 2) + b'"'),
    "cookies without a name": cookies_of(b";" * HEAD),
    "beginnings of tokens in a path": lambda: without_secrets("/" + "eyJ" * (HEAD // 3)),
    "tokens without an end in a path": lambda: without_secrets("/" + "eyJaaaaaaaa" * (HEAD // 11)),
    "invitations in a path": lambda: without_secrets("/oauth/invitations/" * (HEAD // 19)),
    "keys in a path": lambda: without_secrets("/rk_live_" * (HEAD // 9)),
    "marks in an address": lambda: email_key(MARKS),
    "an encoded domain": lambda: email_key("a@xn--" + "a" * HEAD),
    "encoded labels": lambda: email_key("a@" + "xn--a." * (HEAD // 6)),
    "marks in a new password": lambda: problem(MARKS, email="a@b.example"),
    "quoted parameters of a form": multipart_of(b'multipart/form-data; boundary="' + b";" * HEAD),
    "parameters of a form": multipart_of(b"multipart/form-data; boundary=b" + b";a=b" * (HEAD // 4)),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_worst_text_has_linear_cost(kind: str) -> None:
    """Blanks, quotes and marks without end, each where a pattern or a library might read them repeatedly."""
    with cpu_within(CPU_S):
        TEXTS[kind]()


async def test_a_password_of_marks_is_hashed_and_matches_nothing() -> None:
    """It is too long for any password, so it need not be normalised; a long spelling of a short one is."""
    passwords = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = await passwords.hash("e\u0301" * 100)

    with cpu_within(CPU_S):
        assert await passwords.verify(stored, "\xe9" * 100)
        assert not await passwords.verify(stored, MARKS)


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (b'"e"', 304),
        (b' W/"e" ', 304),
        (b'"a" , "e"', 304),
        (b'"a","e"\t,', 304),
        (b'"a,b", "e"', 304),
        (b'"e"x', 200),
        (b'"a" "e', 200),
        (b"e", 200),
    ],
)
def test_the_tags_of_a_list_are_found(condition: bytes, status: int) -> None:
    """With blanks before and behind a comma (RFC 9110 section 5.6.1), and commas inside tags."""
    assert select({b"if-none-match": condition}, etag='"e"', size=1).status == status
