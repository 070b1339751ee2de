"""Media types by file name, the same on every machine, and which names mark immutable content."""

from __future__ import annotations

import mimetypes
import re
from typing import Final

_OWN: Final = {
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_TYPES: Final = mimetypes.MimeTypes()  # only Python's own table: the result must not depend on the machine
_TEXTS: Final = frozenset({"application/json", "application/manifest+json", "application/xml", "image/svg+xml"})
_HASHED: Final = re.compile(r"[.-](?=[0-9a-f]*[0-9])[0-9a-f]{8,64}\.[^/]+$")


def content_type_of(name: str) -> str:
    """Return the media type of a file, `application/octet-stream` if its name does not tell.

    Args:
        name: File name.
    """
    suffix = "." + name.lower().rpartition(".")[2]
    found = _OWN.get(suffix) or _TYPES.guess_type(f"x{suffix}")[0] or "application/octet-stream"
    is_text = found.startswith("text/") or found in _TEXTS
    return f"{found}; charset=utf-8" if is_text else found


def is_hashed(name: str) -> bool:
    """Return whether a name holds a hash of its content, such as `app.3f2a9c01.js`.

    Args:
        name: File name or path.
    """
    return _HASHED.search(name) is not None
