"""The few small values that models and calls are made of. Knows nothing of HTTP."""

import datetime as dt
from collections.abc import AsyncIterable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from enum import Enum, StrEnum
from functools import cache, partial
from importlib import import_module
from os import PathLike
from types import GenericAlias
from typing import (
    IO,
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    final,
)

import msgspec

from redcore._base.public import public

T = TypeVar("T")
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

if TYPE_CHECKING:
    OptionalTimestamp: TypeAlias = dt.datetime | None
else:  # with a third type, which no value has, cattrs leaves the value to the converter of the field
    OptionalTimestamp = Timestamp | None | msgspec.UnsetType
"""A moment with its time zone, or None."""


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


def fields_of(model: Any) -> tuple[Any, ...]:
    """The fields of a model, in order. No annotation declares them: Sphinx would look for its names elsewhere."""
    fields: tuple[Any, ...] = model.__attrs_attrs__
    return fields


@public
class Model:
    """What every object of the API is: frozen, typed, and to be had as plain data."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The object as plain data, with the names and values of the wire; what was left out there is left out.

        Returns:
            What `json.dumps` takes and `from_dict` reads.

        Raises:
            ArgumentError: it was made with a value that JSON cannot represent.

        Example:
            client.users.get("usr_98765").to_dict()["created_at"]  # "2026-01-15T10:00:00Z"
        """
        plain: dict[str, Any] = _conversion().to_dict(self)
        return plain

    def to_json(self) -> str:
        """The object as JSON; raises as `to_dict` does.

        Example:
            Path("user.json").write_text(client.users.get("usr_98765").to_json())
        """
        text: str = _conversion().to_json(self)
        return text

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The object that plain data describes. What a newer server adds is ignored, new values of enums are kept.

        Args:
            data: What `to_dict` gave, or the `data` of an answer.

        Raises:
            ArgumentError: it does not fit; its `details` are all problems, each with its path.

        Example:
            User.from_dict(json.loads(Path("user.json").read_text()))
        """
        made: Self = _conversion().from_dict(cls, data)
        return made


@cache
def _conversion() -> Any:
    """What converts models; by name, as it is a floor above them and loaded when it is first needed."""
    return import_module("redcore._wire.convert")


class NamedModel(Model):
    """A model that answers to the names of its fields in brackets."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        if any(field.name == name for field in fields_of(self)):
            return getattr(self, name)
        raise KeyError(name)


class MappingModel(NamedModel):
    """A model that answers as a mapping too, as all do but those with a field that hides a mapping's method.

    `user.email` is checked by type checkers; `user["email"]`, `dict(user)` and `{**user}` are for code that treats
    an answer as a mapping. It is no `collections.abc.Mapping`: cattrs would take it for a dict.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in fields_of(self))

    def __len__(self) -> int:
        return len(fields_of(self))

    def __contains__(self, name: object) -> bool:
        return any(field.name == name for field in fields_of(self))

    def keys(self) -> KeysView[str]:
        """The names of the fields, in order."""
        return self._as_dict().keys()

    def values(self) -> ValuesView[Any]:
        """The values of the fields, in order."""
        return self._as_dict().values()

    def items(self) -> ItemsView[str, Any]:
        """The names of the fields with their values, in order."""
        return self._as_dict().items()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field; the default if there is no such field."""
        return self._as_dict().get(name, default)

    def _as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields_of(self)}


class PageOf(GenericAlias):
    """`Page[User]`: unlike other generic aliases it tells its class methods what it is a page of."""

    def __getattribute__(self, name: str) -> Any:
        if name == "from_dict":
            return partial(_conversion().from_dict, self)
        return super().__getattribute__(name)


# What fields of models make of what they are given. Decoded answers do not pass through these. ------------------


def moment(value: dt.datetime | str) -> dt.datetime:
    """A moment with a time zone, from itself or from its form on the wire.

    Raises:
        ValueError: it has no time zone, or is no moment.
    """
    told = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    if told.utcoffset() is None:
        raise ValueError("a timestamp needs a time zone, such as datetime.now(datetime.UTC)")
    return told.astimezone(dt.UTC)


def listed(values: Iterable[T]) -> tuple[T, ...]:
    """Some values as a tuple, which can be hashed.

    Raises:
        TypeError: it is one string, not several.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"expected several values, got {values!r}")
    return tuple(values)


def strings(values: Iterable[str]) -> tuple[str, ...]:
    """Some strings; raises as `listed` does."""
    return listed(values)
