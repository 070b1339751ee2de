"""Error pages; `browser_request` renders them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen
class PageProblem(Exception):  # noqa: N818 - names the person's problem, not our error
    """An error shown to a person as a page.

    Attributes:
        title: The heading.
        message: What to do next.
        status: HTTP status of the response.
    """

    title: str
    message: str
    status: int = 400


FOREIGN_FORM: Final = PageProblem(
    "This form was not sent from our own page",
    "Nothing was done. Start again from your application.",
)
NO_COOKIE: Final = PageProblem(
    "Your browser did not keep our cookie",
    "Signing in needs it. Allow cookies for this site, then go back, reload the page and try again.",
)

BY_STATUS: Final[Mapping[int, PageProblem]] = {
    problem.status: problem
    for problem in (
        PageProblem("Something is wrong with this request", "Go back and start again from your application."),
        PageProblem("There is nothing here", "Check the address, or start again from your application.", 404),
        PageProblem("This form is too large", "Shorten what you entered and send it again.", 413),
        PageProblem("Too many requests", "Wait a moment, then reload this page.", 429),
        PageProblem("Something went wrong on our side", "Try again in a moment.", 500),
        PageProblem("BlueRound is temporarily unavailable", "Try again in a moment.", 503),
    )
}
"""Generic problems by status."""
