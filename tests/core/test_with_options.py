"""How the options of a client are changed by `with_options`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from redcore import UNSET
from redcore._call.config import OPTIONS, reconfigure
from redcore._call.engine import CallOptions
from redcore.exceptions import ArgumentError, ConfigurationError
from redcore.options import RequestOptions


def changed(options: CallOptions | None = None, /, **changes: Any) -> CallOptions:
    return reconfigure(options or CallOptions(), {**dict.fromkeys(OPTIONS, UNSET), **changes})


def test_options_not_given_stay() -> None:
    """Without changes the options are equal."""
    assert changed() == CallOptions()


def test_each_option() -> None:
    """A given value replaces the old one; None removes the deadline or the key."""
    options = changed(timeout=1, deadline=2, max_retries=0, idempotency_key="k", pacing=False)

    assert options.pacing is False
    assert (options.timeout_s, options.deadline_s, options.retry.max_retries) == (1.0, 2.0, 0)
    assert options.idempotency_key == "k"
    assert changed(options, deadline=None).deadline_s is None
    assert changed(options, idempotency_key=None).idempotency_key is None


def test_the_names_are_those_of_the_types() -> None:
    """Type checkers accept exactly the options that exist."""
    assert set(OPTIONS) == RequestOptions.__optional_keys__
    assert RequestOptions.__required_keys__ == frozenset()


def test_an_unknown_option() -> None:
    """A misspelled option is refused; the error names it and lists the known ones."""
    with pytest.raises(TypeError, match=r"no option 'time_out'.*timeout, deadline, max_retries"):
        changed(time_out=3)


def test_headers_are_added() -> None:
    """Headers of a derived client are merged with the existing ones; the same name in any case replaces."""
    options = changed(changed(headers={"X-A": "1", "X-B": "1"}), headers={"x-b": "2"})

    assert dict(options.headers) == {"x-a": "1", "x-b": "2"}


@pytest.mark.parametrize("value", ["no", "", None, 0])
def test_pacing_is_on_or_off(value: object) -> None:
    """The text of an environment variable is refused, as "no" would be on."""
    with pytest.raises(ConfigurationError, match=f"^pacing must be True or False, not {value!r}$"):
        changed(pacing=value)


@pytest.mark.parametrize("name", ["timeout", "max_retries"])
def test_numbers_that_cannot_be_none(name: str) -> None:
    """A time-out and a number of retries are required: None is refused, not taken for a default."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be a number, not None"):
        changed(**{name: None})


@pytest.mark.parametrize("changes", [{"timeout": 0}, {"deadline": -1}, {"max_retries": -1}])
def test_bad_numbers(changes: dict[str, Any]) -> None:
    """Numbers are checked as at construction."""
    with pytest.raises(ConfigurationError):
        changed(**changes)


@pytest.mark.parametrize("key", ["", "a b", "a\n", "é", 7])
def test_bad_keys(key: object) -> None:
    """An idempotency key is visible ASCII."""
    with pytest.raises(ArgumentError, match="idempotency_key"):
        changed(idempotency_key=key)


def test_a_key_that_is_no_string() -> None:
    """The error names its type: a UUID looks as if it could be sent."""
    with pytest.raises(ArgumentError, match="idempotency_key must be a string, not UUID"):
        changed(idempotency_key=UUID(int=7))
