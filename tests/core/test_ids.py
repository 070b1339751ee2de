"""Random ids."""

from __future__ import annotations

import uuid

from redcore._base.runtime import new_id


def test_an_id_is_a_uuid_of_version_4() -> None:
    """It has the form that `uuid.uuid4` gives: version, variant, lower case, and a different one each time."""
    made = [new_id() for _ in range(200)]

    assert [str(uuid.UUID(text)) for text in made] == made
    assert {(uuid.UUID(text).version, uuid.UUID(text).variant) for text in made} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == 200
