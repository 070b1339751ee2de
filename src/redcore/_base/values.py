"""The few small values that models and calls are made of. Knows nothing of HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from enum import Enum, StrEnum
from os import PathLike
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol, Self, TypeAlias, final

import msgspec

from redcore._base.public import public

FileContent: TypeAlias = bytes | bytearray | memoryview | IO[bytes] | PathLike[str] | Iterable[bytes]
"""What can be uploaded: the bytes, a file opened for reading in binary mode, a path, or an iterator of bytes."""


class AsyncReadable(Protocol):
    """A file that is read by awaiting, such as those of aiofiles, `anyio.open_file` and Starlette."""

    async def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most so many; empty at the end."""
        ...


AsyncFileContent: TypeAlias = FileContent | AsyncIterable[bytes] | AsyncReadable
"""What `AsyncClient` can upload: files and iterators that are awaited, too."""

Timestamp: TypeAlias = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""A moment with its time zone."""


@public
@final
class Unset(Enum):
    """Left out of a request, as opposed to None, which is sent as null."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""An argument that is not given."""


@public
class OpenEnum(StrEnum):
    """A string enum that keeps a value which this version of the SDK does not know."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)  # by value: a member that is not known has no name to look up

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return str.__hash__(self)

    @property
    def known(self) -> bool:
        """Whether this version of the SDK knows the value."""
        return self._name_ in type(self).__members__


@public
class Model:
    """What every object of the API is: frozen, typed, and answering to the names of its fields in brackets."""

    __slots__ = ()
    if TYPE_CHECKING:  # else what reads annotations would look for `Any` in `redcore`
        __attrs_attrs__: tuple[Any, ...]

    def __getitem__(self, name: str) -> Any:
        if any(field.name == name for field in self.__attrs_attrs__):
            return getattr(self, name)
        raise KeyError(name)


class MappingModel(Model, Mapping[str, Any]):
    """A model that is a mapping too, as all are but those with a field that hides a mapping's method.

    `user.email` is checked by type checkers; `user["email"]`, `dict(user)` and `{**user}` are for code that treats
    an answer as a mapping.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in self.__attrs_attrs__)

    def __len__(self) -> int:
        return len(self.__attrs_attrs__)
