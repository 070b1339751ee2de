"""Resources as tools see them: mocks, signatures, hints, reprs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints
from unittest.mock import create_autospec, patch

import pytest

from redcore import AsyncClient, Client
from redcore._resources.resource import resource
from redcore.exceptions import ArgumentError, FailedAttempt

NAMES = sorted(name for name in dir(Client) if isinstance(inspect.getattr_static(Client, name), resource))


@pytest.mark.parametrize("make", [lambda: create_autospec(Client), lambda: create_autospec(Client, instance=True)])
def test_a_mock_of_the_class_has_the_methods_of_its_resources(make: Callable[[], Any]) -> None:
    """`create_autospec` finds each resource's methods, and refuses wrong names and arguments."""
    client = make()

    client.users.get("usr_1")
    client.files.download("file_1", to="a.csv")
    client.raw.users.get("usr_1")

    client.users.get.assert_called_once_with("usr_1")
    with pytest.raises(AttributeError):
        client.users.fetch("usr_1")
    with pytest.raises(TypeError, match="user_id"):
        client.users.get()
    with pytest.raises(TypeError, match="user_id"):
        client.raw.users.get()
    with pytest.raises(TypeError):
        client.products.create(name="Engine")


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_method_of_a_client_can_be_replaced_and_put_back(cls: type[Any]) -> None:
    """As `patch.object` and pytest's `monkeypatch` do it, on the client that the program has."""
    client = cls(api_key="rk_key")

    for made in (client.users, client.files, client.auth, client.raw.users):
        name = next(name for name in dir(made) if not name.startswith("_"))
        with patch.object(made, name, new="replaced"):
            assert getattr(made, name) == "replaced"
        assert getattr(made, name).__self__ is made


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize("name", NAMES)
def test_hints_and_signatures_of_methods(cls: type[Any], name: str) -> None:
    """Tools that ask for a method's signature and type hints get them."""
    for method, function in inspect.getmembers(getattr(cls, name), inspect.isfunction):
        if not method.startswith("_"):
            assert get_type_hints(function).keys() == {*inspect.signature(function).parameters, "return"} - {"self"}


def test_a_resource_shows_whose_it_is() -> None:
    """The repr of a resource names its client, which names its base URL."""
    client = Client(api_key="rk_key", base_url="https://api.example.com/v1")

    assert repr(client.users) == "<Users of Client(base_url='https://api.example.com/v1')>"
    assert repr(client.files) == "<Files of Client(base_url='https://api.example.com/v1')>"


def test_a_listing_shows_where_it_begins_and_how_far_it_has_come() -> None:
    """The reprs of pages and their iterators name the offset; neither makes a call."""
    pages = Client(api_key="rk_key").users.list_all(offset=40, concurrency=2)

    assert repr(pages) == "<Pages from offset 40, concurrency 2>"
    assert repr(iter(pages)) == "<PageIterator at offset 40>"
    assert repr(pages.iter_items()) == "<ItemIterator at offset 40>"
    awaited = AsyncClient(api_key="rk_key").users.list_all(offset=40, concurrency=2)
    assert repr(awaited) == "<AsyncPages from offset 40, concurrency 2>"


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("options", [{"concurrency": "2"}, {"concurrency": None}, {"offset": "5"}, {"offset": -1}])
def test_a_listing_that_cannot_begin(client: Any, options: dict[str, Any]) -> None:
    """The error names the argument and says what it must be."""
    with pytest.raises(ArgumentError, match=f"{next(iter(options))} must be a whole number, [01] or more, not"):
        client(api_key="rk_key").users.list_all(**options)


def test_the_status_of_an_attempt_has_the_name_that_answers_have() -> None:
    """`status_code` is `status`, for hooks and for the attempts in an error."""
    failed = FailedAttempt(number=1, error="ServerError", status_code=503, duration_s=0.1)

    assert failed.status_code == 503
