"""A cattrs converter for the models, for use in your own classes. Imports cattrs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from cattrs import Converter

from redcore._wire.convert import to_dict
from redcore._wire.decoders import converted
from redcore._wire.encoding import timestamp
from redcore._wire.explain import is_model_or_page, is_open_enum, moment, open_enum, origin_of, strict


def converter() -> Converter:
    """Return a cattrs converter that supports the models, for your own classes that contain them.

    Returns:
        A new converter, to which hooks can be added. It unstructures models as `to_dict` does, and structures them as
        strictly as `from_dict`.

    Example:
        redcore.converter().structure({"owner": user.to_dict()}, Ticket)
    """
    made = Converter()
    made.register_unstructure_hook_func(is_model_or_page, to_dict)
    made.register_unstructure_hook_func(is_open_enum, str)
    made.register_unstructure_hook(dt.datetime, timestamp)
    made.register_structure_hook_func(is_open_enum, open_enum)
    made.register_structure_hook(dt.datetime, moment)
    made.register_structure_hook_func(is_model_or_page, structured)
    return made


converter.__module__ = "redcore"  # as public classes have it


def structured(data: Any, kind: Any) -> Any:
    """Structure a model quickly, or raise its problems as cattrs exception groups."""
    if isinstance(data, origin_of(kind)):
        return data
    try:
        return converted(data, kind)
    except (msgspec.ValidationError, TypeError, ValueError):
        return strict().structure(data, kind)
