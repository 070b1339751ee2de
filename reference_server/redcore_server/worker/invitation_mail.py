"""What an invitation says: the words are in `templates/`, text and HTML side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2

from redcore_server.mail.mailer import Mail


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("redcore_server.mail"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def write_invitation(invitation: Mapping[str, Any], *, link: str, sender: str) -> Mail:
    """Return the mail of an invitation.

    Args:
        invitation: `id`, `email`, `name`, `organisation` and `expires_at`.
        link: What the person opens.
        sender: The From header.
    """
    words = {**invitation, "link": link}
    return Mail(
        id=invitation["id"],
        sender=sender,
        to=invitation["email"],
        subject=f"Your invitation to {invitation['organisation']} on BlueRound",
        text=_templates().get_template("invitation.txt").render(words),
        html=_templates().get_template("invitation.html").render(words),
    )
