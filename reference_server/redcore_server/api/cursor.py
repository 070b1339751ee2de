"""Cursors of listings: the position where a page ended, bound to the listing, its filters and the organisation.

Checked, not signed: a digest over the position and its query detects cursors of other queries and invented ones.
Forging one gains nothing, because a query sees only the caller's organisation, wherever it starts. So every node can
read every node's cursors, without a shared secret. docs/adr/0056-walking-by-cursor.md
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import orjson

from redcore_server.api.handler import Call
from redcore_server.errors import Detail, ValidationFailed

_DIGEST_BYTES: Final = 12  # 96 bits: too many to hit by chance
_WHICH_PAGE: Final = frozenset({"limit", "offset", "cursor", "include_total"})
_FOREIGN: Final = "is not a cursor of this listing with these filters; use the next_cursor of one of its pages"


@attrs.frozen
class Binding:
    """The query that cursors belong to."""

    organisation_id: str
    operation: str
    filters: Mapping[str, Any]

    @classmethod
    def of(cls, call: Call) -> Binding:
        """Return the query of a call.

        Args:
            call: Call of a listing operation.
        """
        filters = {name: value for name, value in call.query.items() if name not in _WHICH_PAGE}
        return cls(call.principal.organisation_id, call.operation, filters)

    def write(self, place: list[str]) -> str:
        """Return the cursor that continues after a position.

        Args:
            place: Values of the sort columns, from the last item of a page.
        """
        content = orjson.dumps(place)
        return _written(self._digest(content) + content)

    def read(self, cursor: str, parts: Sequence[Callable[[str], Any]]) -> list[Any]:
        """Return the position that a cursor continues after.

        Args:
            cursor: Cursor as received.
            parts: Parsers for each value of the position.

        Raises:
            ValidationFailed: The cursor does not belong to this query.
        """
        try:
            whole = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            digest, content = whole[:_DIGEST_BYTES], whole[_DIGEST_BYTES:]
            is_ours = self._digest(content) == digest and _written(whole) == cursor  # canonical form: no unused bits
            if is_ours and b"\\u0000" not in content:
                return [make(text) for make, text in zip(parts, orjson.loads(content), strict=True)]
        except (ValueError, TypeError, OverflowError):  # not ours: the digest is not a signature, so it can be forged
            pass
        raise ValidationFailed(details=[Detail("cursor", _FOREIGN)])

    def _digest(self, content: bytes) -> bytes:
        bound = orjson.dumps([self.organisation_id, self.operation, self.filters], option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(content, key=hashlib.sha256(bound).digest(), digest_size=_DIGEST_BYTES).digest()


def _written(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()
