"""The text of an invitation mail; the templates are in `templates/`, as text and HTML.

The inviting user chooses the name in the greeting, so a name is never shown in a form that mail programs turn into a
link: the only link is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from redcore_server.contract.direction import undirected
from redcore_server.mail.mailer import Mail

if TYPE_CHECKING:  # loaded for the first mail, not for the start of the server
    import jinja2

# Mail programs make links of addresses with a scheme, of names of hosts and of e-mail addresses. A dot has seven forms
# (UTS 46 section 2.3, and those that it maps to one), and what cannot be seen may stand beside it.
_SCHEME: Final = re.compile(
    r"[a-z][a-z0-9+.-]*:(?=[/\\])|(?:https?|ftp|mailto|tel|sms|skype|data|javascript):|[/\\]{2,}", re.IGNORECASE
)
_DOT: Final = re.compile(r"(?<=\S)[.\u2024\u3002\ufe12\ufe52\uff0e\uff61](?=\S)")
_FULL_WIDTH: Final = str.maketrans("\uff0f\uff1a\uff20\ufe6b\uff3c", "/:@@\\")


def without_links(name: str) -> str:
    """Return a name without anything that mail programs would turn into a link, or that turns the link behind it round.

    Args:
        name: Name of a person or an organisation.
    """
    plain = _SCHEME.sub(" ", undirected(name).translate(_FULL_WIDTH)).replace("@", " ")
    return " ".join(_DOT.sub(". ", plain).split())


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - as above

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
        link: Link for the person to open.
        sender: The From header.
    """
    organisation, name = without_links(invitation["organisation"]), without_links(invitation["name"])
    words = {**invitation, "organisation": organisation, "name": name, "link": link}
    return Mail(
        id=invitation["id"],
        sender=sender,
        to=invitation["email"],
        subject=f"Your invitation to {organisation} on BlueRound",
        text=_templates().get_template("invitation.txt").render(words),
        html=_templates().get_template("invitation.html").render(words),
    )
