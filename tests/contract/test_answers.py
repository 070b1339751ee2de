"""Error answers of the platform, as typed errors in every colour; each exchange is judged."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.conftest import Caller

from redcore import (
    AuthenticationError,
    DuplicateError,
    NotFoundError,
    PermissionError,  # noqa: A004 (the contract's name)
    RateLimitError,
    RedcoreAPIError,
    ResponseError,
    ValidationError,
)
from redcore.testing import Fault, Lab

pytestmark = pytest.mark.parametrize("platform", ["fake", "server"], indirect=True)


def test_an_unknown_id_is_not_found(call: Caller) -> None:
    """404 RESOURCE_NOT_FOUND, with the request id of the call."""
    with pytest.raises(NotFoundError) as caught:
        call(lambda c: c.users.get("usr_nobody"))
    assert (caught.value.status_code, caught.value.code) == (404, "RESOURCE_NOT_FOUND")
    assert caught.value.response.headers["X-Request-ID"] == caught.value.request_id


@pytest.mark.parametrize("user_id", ["../x", "a/b", "%2e%2e", "usr_1?x=1", "usr_1#x", " ", "ü", "*"])
def test_an_id_never_leaves_its_place_in_the_path(call: Caller, user_id: str) -> None:
    """Whatever an id holds, the server sees it as an id that does not exist."""
    with pytest.raises(NotFoundError) as caught:
        call(lambda c: c.users.get(user_id))
    assert caught.value.code == "RESOURCE_NOT_FOUND"


def test_a_taken_e_mail_is_409_duplicate(call: Caller) -> None:
    """409 DUPLICATE_RESOURCE, whatever the case of the letters."""
    call(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    with pytest.raises(DuplicateError) as caught:
        call(lambda c: c.users.create(email="ADA@EXAMPLE.COM", name="Ada"))
    assert caught.value.code == "DUPLICATE_RESOURCE"


def test_bad_fields_are_all_named(call: Caller) -> None:
    """400 VALIDATION_ERROR lists every bad field."""
    with pytest.raises(ValidationError) as caught:
        call(lambda c: c.products.create(name="", sku="x" * 65, price=-1))
    assert [detail.field for detail in caught.value.details] == ["name", "sku", "price"]
    assert (caught.value.status_code, caught.value.details[0]["field"]) == (400, "name")


def test_a_bad_filter_is_named(call: Caller) -> None:
    """400 VALIDATION_ERROR for an unknown value of a filter."""
    with pytest.raises(ValidationError) as caught:
        call(lambda c: c.users.list(role="boss"))
    assert [detail.field for detail in caught.value.details] == ["role"]


def test_a_business_rule_is_a_validation_error(call: Caller) -> None:
    """422 BUSINESS_RULE_VIOLATION: an active user cannot be invited again."""
    me = call(lambda c: c.users.get_me())
    with pytest.raises(ValidationError) as caught:
        call(lambda c: c.users.resend_invitation(me.id))
    assert (caught.value.status_code, caught.value.code, caught.value.details) == (422, "BUSINESS_RULE_VIOLATION", ())


def test_a_limit_above_100_counts_as_100(call: Caller) -> None:
    """Larger pages are clamped, never refused."""
    assert call(lambda c: c.users.list(limit=5000)).meta.limit == 100


def test_a_wrong_api_key_is_refused(connect: Callable[..., Caller], platform: Any, lab: Lab) -> None:
    """401 INVALID_TOKEN, and no second attempt: an API key cannot be refreshed."""
    stranger = connect(base_url=platform.base_url, api_key="rk_test_" + "k" * 43)
    with pytest.raises(AuthenticationError) as caught:
        stranger(lambda c: c.users.get_me())
    assert caught.value.code == "INVALID_TOKEN"
    assert [request.status for request in lab.requests()] == [401]


def test_a_wrong_client_secret_is_refused(connect: Callable[..., Caller], platform: Any, lab: Lab) -> None:
    """The token endpoint's own error: `invalid_client`."""
    stranger = connect(**{**platform.application, "client_secret": "wrong"})
    with pytest.raises(AuthenticationError) as caught:
        stranger(lambda c: c.users.get_me())
    assert (caught.value.status_code, caught.value.code) == (401, "invalid_client")


def test_a_missing_scope_is_forbidden(connect: Callable[..., Caller], platform: Any, lab: Lab) -> None:
    """403 INSUFFICIENT_SCOPE."""
    reader = connect(**platform.application, scope="users:read")
    assert len(reader(lambda c: c.users.list())) == 1
    with pytest.raises(PermissionError) as caught:
        reader(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    assert caught.value.code == "INSUFFICIENT_SCOPE"


def test_the_same_idempotency_key_creates_once(call: Caller) -> None:
    """The same key and body replay the first answer; another body is refused with 409."""
    key = str(uuid.uuid4())

    def create(name: str) -> Callable[[Any], Any]:
        return lambda c: c.with_options(idempotency_key=key).users.create(email="ada@example.com", name=name)

    first = call(create("Ada"))
    assert call(create("Ada")) == first
    with pytest.raises(ValidationError) as caught:
        call(create("Grace"))
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert call(lambda c: c.users.list(q="ada@")).meta.total == 1


def test_an_answer_that_is_lost_does_not_create_twice(call: Caller, lab: Lab) -> None:
    """The connection breaks after the user was created: the retry gets the same user."""
    lab.inject("POST", "/v1/users", [Fault(truncate=True)])
    user = call(lambda c: c.with_options(timeout=5).users.create(email="ada@example.com", name="Ada"))
    assert [u.id for u in call(lambda c: c.users.list(q="ada@"))] == [user.id]
    assert [r.status for r in lab.requests() if r.method == "POST"] == [201, 201]


def test_a_dropped_connection_is_retried(call: Caller, lab: Lab) -> None:
    """A missing answer is retried like a 503."""
    lab.inject("GET", "/v1/me", [Fault(drop=True)])
    assert call(lambda c: c.users.get_me()).role == "admin"


def test_an_outage_ends_in_the_last_error(call: Caller, lab: Lab) -> None:
    """`max_retries=0` raises at once; the request id is the one in the server's log."""
    lab.inject("GET", "/v1/me", [Fault(status=503)])
    with pytest.raises(RedcoreAPIError) as caught:
        call(lambda c: c.with_options(max_retries=0).users.get_me())
    assert (caught.value.status_code, caught.value.code) == (503, "SERVICE_UNAVAILABLE")
    assert [r.request_id for r in lab.requests()] == [caught.value.request_id]


def test_an_answer_that_is_not_json(connect: Callable[..., Caller], platform: Any, lab: Lab) -> None:
    """A page of an intermediary is a ResponseError, not a crash; it is not judged."""
    lab.inject("GET", "/v1/me", [Fault(status=200, body="<html>")])
    plain = connect(**platform.arguments, judged=False)
    with pytest.raises(ResponseError, match="not JSON"):
        plain(lambda c: c.users.get_me())


def test_a_429_has_its_retry_after(call: Caller, lab: Lab) -> None:
    """429 RATE_LIMIT_EXCEEDED with `retry_after` in seconds."""
    lab.limit_rate(requests_per_minute=2, requests_per_second=2)

    def exhaust() -> None:
        for _ in range(10):  # more than twice the limit: the minute may end in between
            call(lambda c: c.with_options(max_retries=0, deadline=5.0).users.get_me())

    with pytest.raises(RateLimitError) as caught:
        exhaust()
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 61


def test_an_expired_token_is_refreshed_silently(session: Caller, lab: Lab) -> None:
    """TOKEN_EXPIRED, one refresh, the same call again; the caller sees only the answer."""
    session(lambda c: c.users.get_me())
    lab.advance_clock(3700)
    session(lambda c: c.users.get_me())
    seen = [(r.path, r.status) for r in lab.requests()]
    assert seen == [
        ("/oauth/token", 200),
        ("/v1/me", 200),
        ("/v1/me", 401),
        ("/oauth/token", 200),
        ("/v1/me", 200),
    ]


def test_the_lab_shows_requests_without_secrets(session: Caller, lab: Lab) -> None:
    """Query and body can be compared; of credentials only the scheme is shown."""
    session(lambda c: c.users.create(email="ada@example.com", name="Ada"))
    session(lambda c: c.users.list(role="viewer", limit=5))

    token, created, listed = lab.requests()

    assert token.body == {"grant_type": "client_credentials"}
    assert created.body == {"email": "ada@example.com", "name": "Ada"}
    assert listed.query == {"role": "viewer", "limit": "5"}
    assert [each.headers["authorization"] for each in (token, created)] == ["Basic ***", "Bearer ***"]
