"""What a fault has shown beside what it cost the load."""

from __future__ import annotations

import attrs


@attrs.frozen
class Outcome:
    """What was measured beside the load.

    Attributes:
        note: For the table.
        holds: Whether it is as it must be.
    """

    note: str = ""
    holds: bool = True
