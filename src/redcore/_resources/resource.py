"""What the resources of a client share: access as attributes, and a repr."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Generic, TypeVar, cast, get_type_hints, overload

R_co = TypeVar("R_co", covariant=True)


class resource(Generic[R_co]):  # noqa: N801 (a decorator, as `property`)
    """A resource of a client, created on first access; on the client class it is the resource's class.

    This way `create_autospec(Client).users.get` exists and checks its arguments.

    Args:
        make: Creates the resource; its annotation names the class.
        module: Where the class is, if few programs need it; None if it is among the names of `make`'s module.
    """

    def __init__(self, make: Callable[[Any], R_co], module: str | None = None) -> None:
        self._make = make
        self._module = module
        self.__doc__ = make.__doc__

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, owner: type, /) -> type[R_co]: ...
    @overload
    def __get__(self, client: object, owner: type, /) -> R_co: ...
    def __get__(self, client: object | None, _: type, /) -> R_co | type[R_co]:
        if client is None:
            names = None if self._module is None else vars(import_module(self._module))
            return cast("type[R_co]", get_type_hints(self._make, localns=names)["return"])
        made = client.__dict__[self._name] = self._make(client)
        return made


def resource_of(module: str) -> Callable[[Callable[[Any], R_co]], resource[R_co]]:
    """Mark a resource whose class is imported when it is first needed."""

    def mark(make: Callable[[Any], R_co]) -> resource[R_co]:
        return resource(make, module)

    return mark


def awaited(doc: str | None) -> str:
    """The docstring of a blocking method, for its sibling that is awaited: the same, but for the example."""
    return (doc or "").replace("    client.", "    await client.")


class Described:
    """A repr that names the client of a resource."""

    __slots__ = ("__dict__",)  # so that a test can replace a method, as `patch.object(client.users, "get")`

    def __repr__(self) -> str:
        execute = getattr(self, "_execute")  # noqa: B009 (each resource declares it in its own colour)
        client = getattr(execute, "__self__", execute)
        return f"<{type(self).__name__} of {client!r}>"
