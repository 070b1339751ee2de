"""Reading one cookie of a request."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from redcore_server.http.cookies import cookie


def request_with(*fields: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", field) for field in fields]})


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ((b"a=1",), "1"),
        ((b"b=2; a=1; c=3",), "1"),
        ((b"b=2;a= 1 ;c",), "1"),
        ((b"a=x=y",), "x=y"),
        ((b"b=2", b"a=1"), "1"),  # RFC 9113 section 8.2.3: fields that a proxy did not join
        ((b"a=1; a=2",), "2"),
        ((b'a="1"',), '"1"'),
        ((b"a=",), ""),
        ((b"aa=1; b=a=2; a",), None),
        ((), None),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(fields: tuple[bytes, ...], value: str | None) -> None:
    """Its value is what was sent: ours have no quotes, so none are taken away."""
    assert cookie(request_with(*fields), "a") == value
