"""What a person is told when there is no page to show; `visit` turns it into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen
class PageProblem(Exception):  # noqa: N818 - what the person has, not what we did
    """A page that says why there is no other.

    Attributes:
        title: The heading.
        message: What to do next.
        status: Of the answer.
    """

    title: str
    message: str
    status: int = 400


FORM_EXPIRED: Final = PageProblem(
    "This form has expired",
    "It belongs to an earlier visit, or was not sent from our own page. Go back, reload the page and try again.",
)

BY_STATUS: Final[Mapping[int, PageProblem]] = {
    problem.status: problem
    for problem in (
        PageProblem("Something is wrong with this request", "Go back and start again from your application."),
        PageProblem("There is nothing here", "Check the address, or start again from your application.", 404),
        PageProblem("That was too much", "The form is larger than this page takes.", 413),
        PageProblem("Something went wrong on our side", "Try again in a moment.", 500),
        PageProblem("BlueRound is temporarily unavailable", "Try again in a moment.", 503),
    )
}
"""Problems of which nothing is known but their status."""
