"""The measurements of a fault beside its cost to the load."""

from __future__ import annotations

import attrs


@attrs.frozen
class Outcome:
    """Measurements beside the load.

    Attributes:
        note: For the table.
        holds: Whether it is as it must be.
    """

    note: str = ""
    holds: bool = True
