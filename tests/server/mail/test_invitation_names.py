"""Names in invitation mails are never links, as any administrator can choose them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from redcore_server.auth.pages.render import render
from redcore_server.worker.invitation_mail import without_links, write_invitation

LINK = "https://api.example.com/oauth/invitations/token"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("URGENT: pay at http://evil.example/x", "URGENT: pay at evil. example/x"),
        ("www.evil.com", "www. evil. com"),
        ("HTTPS:\\\\evil.com", "evil. com"),
        ("http:http://evil.com", "evil. com"),
        ("mailto:a@evil.com", "a evil. com"),
        ("//evil\u3002com", "evil. com"),
        ("a\uff20evil\u2024com", "a evil. com"),
        ("https\uff1a\uff0f\uff0fevil\ufe52com", "evil. com"),
        ("evil\u200d.com", "evil\u200d. com"),
        ("javascript:alert(1)", "alert(1)"),
        ("Ada\u202emoc.live\u2066", "Adamoc. live"),
        ("ht\u200etp://evil.com", "evil. com"),
        ("Dr. Ada Lovelace", "Dr. Ada Lovelace"),
        ("Team:Alpha", "Team:Alpha"),
    ],
)
def test_a_name_is_never_a_link(name: str, shown: str) -> None:
    """Text that mail programs would link is split; any other name is unchanged."""
    assert without_links(name) == shown


def test_pages_show_names_without_controls_of_direction() -> None:
    """The same as in mails, on every page; markup stays markup, and names of all scripts stay as they are."""
    name = "\u05d0\u05d3\u05d4 <b>\u202egro.live\u2069"

    page = render("device_done", values={"application": name, "is_allowed": True})

    assert "\u05d0\u05d3\u05d4 &lt;b&gt;gro.live</strong>" in bytes(page.body).decode()


def test_the_only_link_of_a_mail_is_ours() -> None:
    """In the text, the HTML and the subject, whatever the names of person and organisation are."""
    evil = "Pay at https://evil.example"
    invitation = {"id": "inv_1", "email": "a@example.com", "name": evil, "organisation": evil}
    invitation["expires_at"] = datetime(2026, 1, 2, tzinfo=UTC)  # type: ignore[assignment]

    mail = write_invitation(invitation, link=LINK, sender="us@example.com")

    assert [text.count("://") for text in (mail.text, mail.html, mail.subject)] == [1, 1, 0]
    # A telephone number may be part of a name: mail programs are asked to leave it alone.
    assert '<meta name="format-detection" content="telephone=no,' in mail.html
