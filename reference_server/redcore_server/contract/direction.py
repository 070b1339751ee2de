"""Names as pages and mails show them: the contract allows characters that change the direction of text.

One that is not closed also turns round what follows the name, such as a link.
"""

from __future__ import annotations

from typing import Final, TypeVar, cast

_T = TypeVar("_T")

# Bidi_Control of Unicode (UAX #9 section 2): marks, embeddings, overrides and isolates. Letters have a direction of
# their own, so that names of all scripts are shown as they are written.
_CONTROLS: Final = str.maketrans("", "", "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def undirected(value: _T) -> _T:
    """Return a value to be shown, without the characters that change the direction of text.

    Args:
        value: A name, or any value of a template; anything but text is returned unchanged.
    """
    if not isinstance(value, str) or value.isascii():
        return value
    return cast("_T", value.translate(_CONTROLS))  # of Markup, which need not be escaped again, too
