"""OpenEnum, UNSET and Model."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from redcore import UNSET, Application, CursorPage, Page, Scope, User, UserRole, UserStatus
from redcore._base.values import Unset
from redcore._spec.models import CursorMeta, Introspection, Jwk, Jwks, ListMeta, Workflow
from redcore.exceptions import ArgumentError

MOMENT = dt.datetime(2026, 1, 15, 10, tzinfo=dt.UTC)
ADA = User(
    id="usr_1",
    email="ada@example.com",
    name="Ada",
    role=UserRole.EDITOR,
    status=UserStatus("on_holiday"),
    invitation_sent_at=None,
    created_at=MOMENT,
    updated_at=MOMENT,
)

APPLICATION: dict[str, Any] = {
    "id": "app_1",
    "name": "Shop",
    "type": "public",
    "scopes": (Scope.USERS_READ,),
    "redirect_uris": (),
    "created_at": MOMENT,
}
META = ListMeta(request_id="req_1", version="1", total=57, limit=2, offset=20)
PAGE = Page[User](data=[ADA, ADA], meta=META)


class TestPage:
    def test_it_is_a_sequence(self) -> None:
        """A page answers to positions, from both ends, and to slices."""
        assert (PAGE[0], PAGE[-1], PAGE[:1], PAGE[5:], len(PAGE)) == (ADA, ADA, (ADA,), (), 2)
        assert ADA in PAGE
        assert (PAGE.index(ADA), PAGE.count(ADA), list(reversed(PAGE))) == (0, 2, [ADA, ADA])
        match PAGE:
            case [first, *_]:
                assert first == ADA

    def test_a_position_outside_is_an_index_error(self) -> None:
        """As for any sequence."""
        with pytest.raises(IndexError):
            _ = PAGE[2]

    def test_a_page_has_its_field_names(self) -> None:
        """A page answers to `data` and `meta`, and to no other name."""
        assert (PAGE["data"], PAGE["meta"]["total"]) == (PAGE.data, 57)
        with pytest.raises(KeyError):
            _ = PAGE["total"]  # type: ignore[call-overload]  # that is the point

    def test_the_repr_of_a_page_is_short(self) -> None:
        """The repr says which items of how many it has, and does not list them all."""
        assert repr(PAGE).startswith("<Page: items 21 to 22 of 57: [User(")
        assert len(repr(PAGE)) < 200

    def test_its_plain_data_is_plain(self) -> None:
        """Enum values become plain strings, also within a page, as YAML writers require."""
        assert {type(value) for value in PAGE.to_dict()["data"][0].values()} <= {str, type(None)}

    def test_a_page_without_its_model_cannot_be_read(self) -> None:
        """A page without the model of its items is refused, with a hint how to name it."""
        with pytest.raises(ArgumentError, match=r"Page\[User\]\.from_dict"):
            Page.from_dict(PAGE.to_dict())


class TestCursorPage:
    BEHIND = CursorPage[User](
        data=[ADA, ADA], meta=CursorMeta(request_id="req_1", version="1", limit=2, next_cursor="c")
    )

    def test_an_uncounted_page_is_a_sequence_with_field_names(self) -> None:
        """As a counted page is."""
        behind = self.BEHIND

        assert (behind[0], behind[:1], len(behind), list(behind)) == (ADA, (ADA,), 2, [ADA, ADA])
        assert (behind["data"], behind["meta"]["next_cursor"]) == (behind.data, "c")
        with pytest.raises(KeyError):
            _ = behind["total"]  # type: ignore[call-overload]  # that is the point

    def test_the_repr_of_an_uncounted_page_has_no_total(self) -> None:
        """The listing was not counted."""
        assert repr(self.BEHIND).startswith("<CursorPage: 2 items: [User(")
        assert len(repr(self.BEHIND)) < 200


class TestFromDict:
    def test_all_problems_are_reported_at_once(self) -> None:
        """Each problem has its path, as an ErrorDetail and in the message."""
        wrong = {**ADA.to_dict(), "email": 5, "role": None}
        del wrong["name"]

        with pytest.raises(ArgumentError) as caught:
            Page[User].from_dict({"data": [ADA.to_dict(), wrong], "meta": META.to_dict()})

        assert [(detail.field, detail.issue) for detail in caught.value.details] == [
            ("data[1].email", "expected a string, got a whole number"),
            ("data[1].name", "is missing"),
            ("data[1].role", "expected a string, got null"),
        ]
        assert str(caught.value).startswith("the data does not fit Page: data[1].email: expected a string, got a whole")

    @pytest.mark.parametrize(
        ("data", "what"), [("{}", "a string"), (None, "null"), ([], "a list"), (7, "a whole number")]
    )
    def test_a_value_that_is_not_an_object(self, data: Any, what: str) -> None:
        """JSON text, and any value other than an object, is refused by its type."""
        with pytest.raises(ArgumentError, match=f"the data does not fit User: expected an object, got {what}"):
            User.from_dict(data)

    def test_fields_of_a_newer_server_are_ignored(self) -> None:
        """Unknown fields are ignored, as in answers."""
        assert User.from_dict({**ADA.to_dict(), "shoe_size": 44}) == ADA

    def test_what_the_rfcs_allow_is_accepted(self) -> None:
        """As in answers; the data of the application stays as it is."""
        data = {**ADA.to_dict(), "created_at": "2026-01-15T09:59:60Z"}

        assert User.from_dict(data) == ADA
        assert data["created_at"] == "2026-01-15T09:59:60Z"

    def test_a_missing_field_stays_missing(self) -> None:
        """An optional field that was missing on the wire does not become null."""
        assert Introspection.from_dict({"active": False}).to_dict() == {"active": False}

    def test_values_that_json_cannot_represent_are_refused(self) -> None:
        """NaN in a free-form field cannot be represented, and is not turned into null."""
        workflow = Workflow(name="a", description="b", input_schema={"maximum": math.nan})

        with pytest.raises(ArgumentError, match="nan"):
            workflow.to_json()

    def test_text_that_json_cannot_represent_is_refused(self) -> None:
        """`json.loads` accepts it, so that `from_dict` may be given it."""
        broken = User.from_dict({**ADA.to_dict(), "name": "\ud800"})

        for convert in (broken.to_dict, broken.to_json):
            with pytest.raises(ArgumentError, match=r"cannot be represented in JSON: .*surrogates not allowed"):
                convert()


class TestOpenEnum:
    def test_a_known_value_is_its_member(self) -> None:
        """A value that this version knows is the member itself."""
        assert UserRole("admin") is UserRole.ADMIN
        assert UserRole.ADMIN.known

    def test_an_unknown_value_is_kept(self) -> None:
        """A newer server's value becomes a value instead of an error, and joins no list of members."""
        auditor = UserRole("auditor")

        assert auditor == "auditor"
        assert auditor.value == "auditor"
        assert not auditor.known
        assert "auditor" not in [role.value for role in UserRole]

    def test_unknown_values_are_equal_by_value(self) -> None:
        """Two unknown values of the same word are equal and hash alike; another word is not."""
        assert {UserRole("auditor"), UserRole("auditor")} == {"auditor"}
        assert UserRole("auditor") != UserRole("clerk")
        assert UserRole("auditor") != 1

    @pytest.mark.parametrize("value", [UserRole.ADMIN, UserRole("auditor"), UserRole("")])
    def test_copies_are_equal(self, value: UserRole) -> None:
        """Pickling and copying keep value and type, known or not."""
        for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):  # noqa: S301
            assert twin == value
            assert type(twin) is UserRole
            assert twin.known == value.known

    def test_text_and_json_are_the_value(self) -> None:
        """A member prints and serialises as the word on the wire."""
        assert [str(UserRole.ADMIN), f"{UserRole('auditor')}"] == ["admin", "auditor"]
        assert msgspec.json.encode([UserRole.ADMIN, UserRole("auditor")]) == b'["admin","auditor"]'

    def test_only_strings_can_be_unknown_values(self) -> None:
        """A value that is not a string is refused."""
        with pytest.raises(ValueError, match="7"):
            UserRole(7)  # type: ignore[arg-type]


class TestUnset:
    def test_it_is_false_and_says_its_name(self) -> None:
        """UNSET is falsy, prints as itself, and is one object also after pickling."""
        assert not UNSET
        assert repr(UNSET) == "UNSET"
        assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301
        assert list(Unset) == [UNSET]


class TestModel:
    def test_fields_are_items_under_their_wire_names(self) -> None:
        """A model answers as a mapping of all its fields, in order."""
        assert ADA["email"] == ADA.email
        assert list(ADA) == [
            "id",
            "email",
            "name",
            "role",
            "status",
            "invitation_sent_at",
            "created_at",
            "updated_at",
        ]
        assert len(ADA) == 8
        assert {**ADA}["invitation_sent_at"] is None
        assert ADA.get("nothing", "default") == "default"

    def test_a_field_may_be_named_like_a_mapping_method(self) -> None:
        """Such a model gives its fields in brackets, and is not a mapping."""
        keys = Jwks(keys=(Jwk(kty="RSA", kid="1", n="n", e="e"),))

        assert keys["keys"] == keys.keys
        assert not isinstance(keys, Mapping)

    @pytest.mark.parametrize("name", ["password", "__class__", "values"])
    def test_an_attribute_is_not_an_item(self, name: str) -> None:
        """Attributes that are not fields cannot be read as items."""
        with pytest.raises(KeyError, match=name):
            Jwks(keys=())[name]

    def test_plain_strings_become_members_when_a_model_is_made(self) -> None:
        """A model that is made by hand, as in tests, has members and datetimes like a decoded one."""
        made = User(**{**ADA, "role": "viewer", "created_at": "2026-01-15T10:00:00Z"})

        assert made.role is UserRole.VIEWER
        assert made.created_at == MOMENT
        assert hash(Application(**{**APPLICATION, "scopes": ["users:read"]})) == hash(Application(**APPLICATION))

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"created_at": dt.datetime(2026, 1, 15)}, ValueError),  # noqa: DTZ001 (that is the point)
            ({"created_at": "2026-01-15"}, ValueError),
            ({"role": 7}, ValueError),
        ],
    )
    def test_values_that_a_field_cannot_hold_are_refused(self, changed: dict[str, Any], error: type[Exception]) -> None:
        """A datetime without a time zone, or an enum value that is not a string, cannot be in a model."""
        with pytest.raises(error):
            User(**{**ADA, **changed})

    def test_a_string_is_not_a_list(self) -> None:
        """A string is not taken for a list of its letters."""
        with pytest.raises(TypeError, match="expected several values, got 'admin'"):
            Application(**{**APPLICATION, "scopes": "admin"})

    def test_a_model_has_the_methods_of_a_mapping(self) -> None:
        """A model has the methods of a mapping, and compares as a model."""
        assert list(ADA.keys()) == list(ADA)
        assert dict(ADA.items()) == dict(ADA) == {**ADA}
        assert next(iter(ADA.values())) == "usr_1"
        assert "email" in ADA
        assert "nothing" not in ADA

    def test_models_are_frozen(self) -> None:
        """Models are frozen and slotted."""
        with pytest.raises(AttributeError):
            ADA.name = "Grace"  # type: ignore[misc]
        with pytest.raises(AttributeError):
            ADA.nickname = "Countess"  # type: ignore[attr-defined]

    def test_copies_are_equal(self) -> None:
        """Models survive pickling and copying, and are equal by value."""
        assert pickle.loads(pickle.dumps(ADA)) == ADA  # noqa: S301
        assert copy.deepcopy(ADA) == ADA
        assert hash(copy.copy(ADA)) == hash(ADA)
