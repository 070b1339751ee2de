"""Faults keep every value on their way to the server and back."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from redcore.testing import Fault

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(
    status=st.none() | st.integers(200, 599),
    retry_after=st.none() | st.integers(0, 5) | st.text(max_size=5),
    body=JSON,
    delay=st.none() | st.floats(0, 5) | st.integers(0, 5),
    drop=st.booleans(),
    truncate=st.booleans(),
)
def test_a_fault_survives_json(**fields: object) -> None:
    """Also 0, False and the empty text, which differ from every default."""
    fault = Fault(**fields)  # type: ignore[arg-type]

    form = json.loads(json.dumps(fault.as_json()))

    assert Fault.from_json(form) == fault
    assert repr(Fault.from_json(form)) == repr(fault)
    assert form


def test_a_retry_after_of_zero_is_sent() -> None:
    """0 equals False, and is a different value."""
    assert Fault(status=503, retry_after=0).as_json() == {"status": 503, "retry_after": 0}
