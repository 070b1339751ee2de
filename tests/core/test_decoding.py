"""From bytes to models and errors, and back."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import msgspec
import pytest
from tests.answers import USER
from tests.core.world import START, answer

from redcore import ErrorDetail, Page, Response, Scope, User, UserRole, WorkflowRun
from redcore._base.operation import Operation, Shape
from redcore._base.response import Headers
from redcore._spec.models import ApiKeyCreated, Introspection, Jwks, TokenResponse
from redcore._wire.decoding import failure, oauth_failure, read
from redcore._wire.encoding import dump, unstructure
from redcore.exceptions import ArgumentError, AuthenticationError, RateLimitError, ResponseError, ServerError

META: dict[str, Any] = {"request_id": "req_1", "version": "1.2.0", "total": 1, "limit": 20, "offset": 0}
RUN = {
    "id": "wfr_1",
    "workflow": "catalog_export",
    "status": "running",
    "progress": 0,
    "input": {"format": "csv"},
    "result": None,
    "error": None,
    "created_at": "2026-01-15T10:00:00Z",
    "started_at": None,
    "finished_at": None,
}


def read_as(response: Response, shape: Shape, model: type[Any] | None = None) -> Any:
    """Decode an answer as an operation of this shape and model does."""
    return read(Operation(name="x", method="GET", path="/x", shape=shape, model=model), response)


def read_user(**changes: Any) -> User:
    user: User = read_as(answer(200, {"data": {**USER, **changes}}), "data", User)
    return user


class Nowhere(dt.tzinfo):
    """A time zone without a known offset."""

    def utcoffset(self, _: dt.datetime | None) -> None:
        return None

    dst = utcoffset

    def tzname(self, _: dt.datetime | None) -> None:
        return None


class TestReading:
    def test_a_user(self) -> None:
        """Every field of a user gets its type."""
        user = read_user()

        assert user.role is UserRole.EDITOR
        assert user.created_at == dt.datetime(2026, 1, 15, 10, tzinfo=dt.UTC)
        assert user.invitation_sent_at is None

    def test_unknown_fields_are_ignored(self) -> None:
        """A newer server's fields do not break an older client."""
        assert read_user(shoe_size=43) == read_user()

    def test_an_unknown_enum_value_is_kept(self) -> None:
        """A newer server's word is kept as it came."""
        assert read_user(role="auditor").role == UserRole("auditor")

    def test_a_time_zone_other_than_utc_is_understood(self) -> None:
        """The moment counts, not its spelling."""
        assert read_user(created_at="2026-01-15T11:00:00+01:00") == read_user()

    def test_a_page(self) -> None:
        """A page has its items and their place in the listing, by attribute and by name."""
        users: Page[User] = read_as(answer(200, {"data": [USER], "meta": META}), "page", User)

        assert users == Page(data=(read_user(),), meta=users.meta)
        assert (len(users), list(users)) == (1, [read_user()])
        assert (users["data"], users["meta"]["total"]) == (users.data, 1)
        with pytest.raises(KeyError, match="total"):
            users["total"]  # type: ignore[call-overload]

    def test_whole_numbers_are_floats_where_floats_are_meant(self) -> None:
        """JSON has one kind of number: a progress of 0 is 0.0; nested JSON stays as it is."""
        run = read_as(answer(200, {"data": RUN}), "data", WorkflowRun)

        assert (run.progress, type(run.progress)) == (0.0, float)
        assert run.input == {"format": "csv"}

    def test_bare_objects(self) -> None:
        """OAuth endpoints send no envelope; missing fields are None; renamed fields are found."""
        assert read_as(answer(200, {"active": False}), "plain", Introspection) == Introspection(active=False)
        assert read_as(answer(200, {"keys": []}), "plain", Jwks) == Jwks(keys=())

    def test_nothing_and_bytes(self) -> None:
        """An answer without a body is None whatever it holds; a download is its bytes."""
        assert read_as(Response(204, Headers({}), b"<html>"), "nothing") is None
        assert read_as(Response(200, Headers({}), b"\x00\xff"), "bytes") == b"\x00\xff"

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"id": 7}, "Expected `str`, got `int` - at `$.data.id`"),
            ({"id": None}, "Expected `str`, got `null` - at `$.data.id`"),
            ({"name": ["Ada"]}, "Expected `str`, got `array` - at `$.data.name`"),
            ({"role": 1}, "Expected `str`, got `int` - at `$.data.role`"),
            ({"role": None}, "Expected `str`, got `null` - at `$.data.role`"),
            ({"created_at": 1700000000}, "Expected `datetime`, got `int` - at `$.data.created_at`"),
            ({"created_at": None}, "Expected `datetime`, got `null` - at `$.data.created_at`"),
            (
                {"created_at": "2026-01-15T10:00:00"},
                "Expected `datetime` with a timezone component - at `$.data.created_at`",
            ),
            ({"created_at": "2026-01-15"}, "Invalid RFC3339 encoded datetime - at `$.data.created_at`"),
            ({"invitation_sent_at": True}, "Expected `datetime | null`, got `bool` - at `$.data.invitation_sent_at`"),
        ],
    )
    def test_a_wrong_type_is_named_with_its_place(self, changes: dict[str, Any], where: str) -> None:
        """A value of another type is refused, never converted."""
        with pytest.raises(ResponseError) as caught:
            read_user(**changes)

        assert caught.value.message == f"the answer does not fit: {where}"

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"progress": True}, "Expected `float`, got `bool` - at `$.data.progress`"),
            ({"progress": "0.5"}, "Expected `float`, got `str` - at `$.data.progress`"),
            ({"input": []}, "Expected `object`, got `array` - at `$.data.input`"),
            (
                {"error": {"message": "m", "details": {}}},
                "Expected `array | null`, got `object` - at `$.data.error.details`",
            ),
        ],
    )
    def test_wrong_numbers_objects_and_lists(self, changes: dict[str, Any], where: str) -> None:
        """Numbers, objects and lists are checked as strictly, also when nested."""
        with pytest.raises(ResponseError) as caught:
            read_as(answer(200, {"data": {**RUN, **changes}}), "data", WorkflowRun)

        assert caught.value.message == f"the answer does not fit: {where}"

    def test_a_flag_is_not_a_number(self) -> None:
        """A boolean is not accepted as 1."""
        with pytest.raises(ResponseError, match=r"Expected `int`, got `bool` - at `\$\.expires_in`"):
            read_as(answer(200, {"expires_in": True, "access_token": "a", "token_type": "B"}), "plain", TokenResponse)

    def test_the_place_within_a_page_is_named(self) -> None:
        """The message says which item does not fit, and where in it."""
        items: list[dict[str, Any]] = [{**USER}, {name: USER[name] for name in USER if name != "status"}]

        with pytest.raises(ResponseError) as caught:
            read_as(answer(200, {"data": items, "meta": META}), "page", User)

        assert caught.value.message == (
            "the answer does not fit: Object missing required field `status` - at `$.data[1]`"
        )

    @pytest.mark.parametrize("payload", [{}, {"data": None}, {"data": []}, {"data": "usr_1"}, {"user": USER}])
    def test_an_envelope_without_an_object(self, payload: object) -> None:
        """An answer other than `{"data": {…}}` is refused."""
        with pytest.raises(ResponseError, match=r"Expected `object`|missing required field `data`"):
            read_as(answer(200, payload), "data", User)

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "the answer to a call is empty (status 200)"),
            (b"<html>", "the answer is not JSON (text/html)"),
            (b'{"data": {', "the answer is not JSON (text/html)"),
            (b"\xff", "the answer is not JSON (text/html)"),
            (b'"\\ud800"', "the answer is not JSON (text/html)"),
            (b"[" * 3000, "the answer does not fit: Expected `object`, got `array`"),
            (b'{"x":' * 3000, "the answer is not JSON (text/html)"),
            (b"[]", "the answer does not fit: Expected `object`, got `array`"),
            (b"null", "the answer does not fit: Expected `object`, got `null`"),
        ],
    )
    def test_an_answer_that_is_not_a_json_object(self, content: bytes, expected: str) -> None:
        """Anything but a JSON object is a ResponseError that keeps the answer."""
        response = Response(200, Headers({"Content-Type": "text/html"}), content)

        with pytest.raises(ResponseError) as caught:
            read_as(response, "data", User)

        assert caught.value.message.startswith(expected)
        assert caught.value.response is response

    @pytest.mark.parametrize(
        ("shape", "model", "content"),
        [
            ("plain", TokenResponse, b'{"access_token": "canary", "token_type": "Bearer", "expires_in": null}'),
            ("data", ApiKeyCreated, b'{"data": {"key": "canary"}}'),
            ("plain", TokenResponse, b'{"access_token": "canary", \xff'),
        ],
    )
    def test_an_answer_with_secrets_is_not_kept(self, shape: Shape, model: type[Any], content: bytes) -> None:
        """The error of an answer that may hold tokens or keys has its status and headers, not its body."""
        with pytest.raises(ResponseError) as caught:
            read_as(Response(200, Headers({"X-Request-ID": "req"}), content), shape, model)

        error = caught.value
        assert error.response == Response(200, Headers({"X-Request-ID": "req"}), b"")
        assert (error.__cause__, error.__context__) == (None, None)
        assert "canary" not in repr(vars(error))


class TestFailure:
    def test_an_envelope(self) -> None:
        """Every fact of the envelope is kept."""
        envelope = {"code": "VALIDATION_ERROR", "message": "m", "docs": "d", "details": [{"field": "f", "issue": "i"}]}

        error = failure(answer(400, {"error": envelope}), now=START, request_id="req")

        assert (error.code, error.message, error.docs, error.request_id) == ("VALIDATION_ERROR", "m", "d", "req")
        assert error.details == (ErrorDetail(field="f", issue="i"),)

    def test_a_code_of_a_newer_server(self) -> None:
        """An unknown code is kept, and the status decides the class."""
        error = failure(answer(409, {"error": {"code": "NEW", "message": "m"}}), now=START, request_id="req")

        assert (type(error).__name__, error.code, error.docs, error.details) == ("ConflictError", "NEW", None, ())

    @pytest.mark.parametrize(
        "content",
        [b"", b"<html>", b"[]", b"{}", b'{"error": null}', b'{"error": ""}', b'{"error": []}', b'{"error": {}}'],
    )
    def test_no_envelope(self, content: bytes) -> None:
        """An error of an intermediary, such as a proxy, is still an error with its status."""
        error = failure(Response(502, Headers({}), content), now=START, request_id="req")

        assert (type(error), error.status_code, error.code) == (ServerError, 502, "HTTP_502")
        assert error.message == "the server gave no explanation"

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"type": "about:blank", "title": "Forbidden", "detail": "no such plan"}, "no such plan"),
            ({"title": "Forbidden"}, "Forbidden"),
            ({"message": "no route"}, "no route"),
            ({"detail": "Not Found"}, "Not Found"),
            ({"error": "access_denied", "error_description": "ask the owner"}, "ask the owner"),
            ({"status": 403, "error": "Forbidden", "path": "/v1"}, "Forbidden"),
            ({"error": {"message": "no plan"}}, "no plan"),
            ({"error": {"code": None, "message": "no plan"}}, "no plan"),
            ({"error": {"code": 403, "message": "no plan", "status": "PERMISSION_DENIED"}}, "no plan"),
            ({"detail": [{"loc": ["body"]}]}, "the server gave no explanation"),
            ({"message": "x" * 1000}, "x" * 300),
        ],
    )
    def test_the_reason_of_an_intermediary(self, body: dict[str, Any], message: str) -> None:
        """Whatever it calls it: as RFC 9457, RFC 6749 and the usual gateways and frameworks do."""
        error = failure(answer(403, body), now=START, request_id="req")

        assert (error.code, error.message) == ("HTTP_403", message)

    def test_a_code_alone(self) -> None:
        """It is kept."""
        error = failure(answer(409, {"error": {"code": "NEW"}}), now=START, request_id="req")

        assert (error.code, error.message) == ("NEW", "the server gave no explanation")

    def test_one_unreadable_detail(self) -> None:
        """The others are kept."""
        details = [{"field": "a", "issue": "b"}, {"field": None, "issue": "c"}, "d"]
        envelope = {"code": "VALIDATION_ERROR", "message": "m", "details": details}

        error = failure(answer(400, {"error": envelope}), now=START, request_id="req")

        assert error.details == (ErrorDetail(field="a", issue="b"),)

    @pytest.mark.parametrize(
        ("location", "origin"),
        [
            ("https://login.example/?secret=canary", "https://login.example"),
            ("HTTP://ada:canary@10.0.0.1:80", "HTTP://10.0.0.1:80"),
            ("https://[::1]:8443/v1", "https://[::1]:8443"),
            ("//ada:canary@login.example/canary", "//login.example"),
            ("/canary", "another path"),
            ("https://[canary", "another path"),
        ],
    )
    def test_a_redirect(self, location: str, origin: str) -> None:
        """The message names its origin and what to do; the rest of a URL may be secret."""
        error = failure(Response(302, Headers({"Location": location})), now=START, request_id="req")

        assert f"the server redirects to {origin}, where" in error.message
        assert "correct base_url" in error.message
        assert "canary" not in error.message

    @pytest.mark.parametrize("details", [[{"field": "f"}], [1], "many", {"field": "f"}, True])
    def test_unreadable_details(self, details: object) -> None:
        """Malformed details are dropped; code and message are kept."""
        envelope = {"code": "VALIDATION_ERROR", "message": "m", "docs": ["d"], "details": details}

        error = failure(answer(400, {"error": envelope}), now=START, request_id="req")

        assert (error.code, error.message, error.docs, error.details) == ("VALIDATION_ERROR", "m", None, ())

    def test_retry_after(self) -> None:
        """The wait that the server asks for is kept in the error."""
        error = failure(answer(429, retry_after="7"), now=START, request_id="req")

        assert isinstance(error, RateLimitError)
        assert error.retry_after == 7.0

    @pytest.mark.parametrize("status", [400, 401])
    def test_an_oauth_refusal(self, status: int) -> None:
        """RFC 6749 section 5.2: the code is the RFC's, the class says to log in again."""
        error = oauth_failure(answer(status, {"error": "invalid_grant"}), now=START, request_id="req")

        assert type(error) is AuthenticationError
        assert (error.status_code, error.code) == (status, "invalid_grant")
        assert error.message == "the authorization server refused"

    def test_an_oauth_refusal_with_a_description(self) -> None:
        """The description is the message."""
        refusal = {"error": "invalid_client", "error_description": "unknown client"}

        assert oauth_failure(answer(401, refusal), now=START, request_id="req").message == "unknown client"

    def test_a_busy_oauth_endpoint_says_why_and_for_how_long(self) -> None:
        """The platform answers requests below `/oauth/` in OAuth's form, 429 and 503 too."""
        busy = {"error": "slow_down", "error_description": "Too many requests."}

        error = oauth_failure(answer(429, busy, retry_after="7"), now=START, request_id="req")

        assert isinstance(error, RateLimitError)
        assert (error.code, error.message, error.retry_after) == ("slow_down", "Too many requests.", 7.0)

    @pytest.mark.parametrize(("status", "cls"), [(400, "ValidationError"), (429, "RateLimitError")])
    def test_an_envelope_of_an_oauth_endpoint(self, status: int, cls: str) -> None:
        """When the gateway answers in place of the endpoint, the answer has the envelope."""
        envelope = {"error": {"code": "ANY", "message": "m"}}

        error = oauth_failure(answer(status, envelope, retry_after="1"), now=START, request_id="req")

        assert (type(error).__name__, error.code, error.retry_after) == (cls, "ANY", 1.0)


class TestWriting:
    def test_datetimes_leave_as_utc(self) -> None:
        """A moment of any zone is sent as UTC with Z, with its fraction if it has one."""
        zone = dt.timezone(dt.timedelta(hours=2))

        assert unstructure(dt.datetime(2026, 1, 15, 12, tzinfo=zone)) == "2026-01-15T10:00:00Z"
        assert unstructure(dt.datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=dt.UTC)) == "2026-01-01T00:00:00.000005Z"

    def test_values_inside_of_others(self) -> None:
        """Moments and enums are found in mappings and lists; models are mappings."""
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        body = {"a": {"b": (moment,)}, "scopes": [Scope.ADMIN, "x"], "user": read_user()}

        decoded = msgspec.json.decode(dump(body))

        assert decoded == {"a": {"b": ["2026-01-01T00:00:00Z"]}, "scopes": ["admin", "x"], "user": USER}

    def test_null_is_sent(self) -> None:
        """None is sent as null; UNSET leaves a field out."""
        assert dump({"expires_at": None}) == b'{"expires_at":null}'

    @pytest.mark.parametrize("moment", [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=Nowhere())])  # noqa: DTZ001
    def test_a_naive_datetime_is_refused(self, moment: dt.datetime) -> None:
        """A datetime without a zone is refused, with a hint how to make an aware one."""
        with pytest.raises(ArgumentError, match=r"datetime\.now\(datetime\.UTC\)"):
            dump({"expires_at": moment})

    @pytest.mark.parametrize(
        "value",
        [
            b"bytes",
            object(),
            {1: "a"},
            "\ud800",
            float("nan"),
            float("inf"),
            dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))),
            enum.Enum("Odd", "MEMBER"),
        ],
    )
    def test_values_that_json_cannot_represent_are_refused(self, value: object) -> None:
        """A value that JSON cannot represent is an ArgumentError and is never sent as something else."""
        with pytest.raises(ArgumentError):
            dump({"input": {"value": value}})

    def test_a_value_that_holds_itself_is_refused(self) -> None:
        """Endless nesting is an ArgumentError."""
        endless: dict[str, Any] = {}
        endless["self"] = endless

        with pytest.raises(ArgumentError, match="deep"):
            dump(endless)
