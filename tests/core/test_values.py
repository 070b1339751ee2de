"""OpenEnum, UNSET and Model."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from collections.abc import Mapping

import msgspec
import pytest

from redcore import UNSET, User, UserRole, UserStatus
from redcore._base.values import Unset
from redcore._spec.models import Jwk, Jwks

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


class TestOpenEnum:
    def test_a_known_value_is_its_member(self) -> None:
        """A value that this version knows is the member itself."""
        assert UserRole("admin") is UserRole.ADMIN
        assert UserRole.ADMIN.known

    def test_an_unknown_value_is_kept(self) -> None:
        """A newer server's value becomes a value, not a crash, and joins no list of members."""
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

    def test_what_is_no_string_is_no_value(self) -> None:
        """Only strings can be unknown values."""
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

    def test_a_field_may_have_the_name_of_a_mappings_method(self) -> None:
        """Such a model answers to its fields in brackets, and is no mapping."""
        keys = Jwks(keys=(Jwk(kty="RSA", kid="1", n="n", e="e"),))

        assert keys["keys"] == keys.keys
        assert not isinstance(keys, Mapping)

    @pytest.mark.parametrize("name", ["password", "__class__", "values"])
    def test_what_is_no_field_is_no_item(self, name: str) -> None:
        """Attributes that are no fields cannot be had as items."""
        with pytest.raises(KeyError, match=name):
            Jwks(keys=())[name]

    def test_models_do_not_change(self) -> None:
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
