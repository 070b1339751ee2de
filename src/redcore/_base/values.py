"""Basic values of models and calls. Knows nothing about HTTP."""

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
"""Content to upload: bytes, a file opened for reading in binary mode, a path, or an iterator of bytes."""


class AsyncReadable(Protocol):
    """An async readable file, such as those of aiofiles, `anyio.open_file` and Starlette."""

    async def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; empty at the end."""
        ...


AsyncFileContent: TypeAlias = FileContent | AsyncIterable[bytes] | AsyncReadable
"""Content that `AsyncClient` can upload, including async files and iterators."""

Timestamp: TypeAlias = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""A datetime with time zone."""

if TYPE_CHECKING:
    OptionalTimestamp: TypeAlias = dt.datetime | None
else:  # with a third type, which no value has, cattrs leaves the value to the field's converter
    OptionalTimestamp = Timestamp | None | msgspec.UnsetType
"""A datetime with time zone, or None."""


@public
@final
class Unset(Enum):
    """Omitted from a request, unlike None, which is sent as null."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Marks an argument that was not passed."""


@public
class OpenEnum(StrEnum):
    """A string enum that preserves values unknown to this version of the SDK."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)  # by value, as an unknown member cannot be looked up by name

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return str.__hash__(self)

    @property
    def known(self) -> bool:
        """Whether the value is known to this version of the SDK."""
        return self._name_ in type(self).__members__


def exact(text: str) -> str:
    """Return the characters of a string: one of a subclass, such as a member of `(str, Enum)`, may format as others."""
    return str.__str__(text)


def fields_of(model: Any) -> tuple[Any, ...]:
    """The fields of a model, in order. Not annotated, as Sphinx would resolve the names in the wrong module."""
    fields: tuple[Any, ...] = model.__attrs_attrs__
    return fields


@public
class Model:
    """Base class of all API objects: frozen, typed, and convertible to plain data."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the object as plain data, with wire names and values; omitted fields stay omitted.

        Returns:
            A dict that `json.dumps` and `from_dict` accept.

        Raises:
            ArgumentError: it contains a value that cannot be represented in JSON.

        Example:
            client.users.get("usr_98765").to_dict()["created_at"]  # "2026-01-15T10:00:00Z"
        """
        plain: dict[str, Any] = _conversion().to_dict(self)
        return plain

    def to_json(self) -> str:
        """Return the object as JSON; raises as `to_dict` does.

        Example:
            Path("user.json").write_text(client.users.get("usr_98765").to_json())
        """
        text: str = _conversion().to_json(self)
        return text

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make an object from plain data. Unknown fields of a newer server are ignored, unknown enum values are kept.

        Args:
            data: The result of `to_dict`, or the `data` of a response.

        Raises:
            ArgumentError: the data does not fit; `details` lists all problems, each with its path.

        Example:
            User.from_dict(json.loads(Path("user.json").read_text()))
        """
        made: Self = _conversion().from_dict(cls, data)
        return made


@cache
def _conversion() -> Any:
    """Return the module that converts models; imported by name on first use, as it is in a higher layer."""
    return import_module("redcore._wire.convert")


class NamedModel(Model):
    """A model whose fields can be read by subscript, such as `user["email"]`."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        if any(field.name == name for field in fields_of(self)):
            return getattr(self, name)
        raise KeyError(name)


class MappingModel(NamedModel):
    """A model that also has the methods of a mapping; all models except those with a field of the same name.

    `user.email` is checked by type checkers; `user["email"]`, `dict(user)` and `{**user}` are for code that treats a
    response as a mapping. It is not a `collections.abc.Mapping`, because cattrs would treat it as a dict.
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
        """Return the value of a field, or the default if there is no such field."""
        return self._as_dict().get(name, default)

    def _as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields_of(self)}


class PageOf(GenericAlias):
    """`Page[User]`: unlike other generic aliases, it passes its item type to the class methods."""

    def __getattribute__(self, name: str) -> Any:
        if name == "from_dict":
            return partial(_conversion().from_dict, self)
        return super().__getattribute__(name)


# Converters of model fields. Decoded responses do not pass through these. ----------------------------------------


def moment(value: dt.datetime | str) -> dt.datetime:
    """Convert a datetime or its wire format to a datetime with time zone.

    Raises:
        ValueError: it has no time zone, or is not a valid datetime.
    """
    parsed = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    if parsed.utcoffset() is None:
        raise ValueError("a timestamp needs a time zone, such as datetime.now(datetime.UTC)")
    return parsed.astimezone(dt.UTC)


def listed(values: Iterable[T]) -> tuple[T, ...]:
    """Convert values to a tuple, which is hashable.

    Raises:
        TypeError: it is a single string.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"expected several values, got {values!r}")
    return tuple(values)


def strings(values: Iterable[str]) -> tuple[str, ...]:
    """Convert strings to a tuple; raises as `listed` does."""
    return listed(values)
