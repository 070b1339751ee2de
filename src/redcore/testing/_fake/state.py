"""What the fake platform remembers: one organisation, its tables, its clock. Plain dicts, so that a reset is quick."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias
from unicodedata import normalize

Row: TypeAlias = dict[str, Any]
ADMIN_EMAIL = "admin@example.com"
ID_LENGTH = 22  # as the server's ids
HINT_LENGTH = 4  # the last characters of an API key that the API shows


class State:
    """All of the organisation.

    Args:
        now: Unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ahead_s = 0.0
        self._numbers = itertools.count(1)
        self.users: dict[str, Row] = {}
        self.products: dict[str, Row] = {}
        self.runs: dict[str, Row] = {}
        self.files: dict[str, Row] = {}
        self.contents: dict[str, bytes] = {}
        self.api_keys: dict[str, Row] = {}
        self.applications: dict[str, Row] = {}
        self.secrets: dict[str, str | None] = {}
        """The secrets of the applications, by id; None for a public one."""
        self.keys: dict[str, str] = {}
        """API keys, and the ids of their rows."""
        self.owners: dict[str, str] = {}
        """The user that a credential acts for, by the credential's id."""
        self.tokens: dict[str, Row] = {}
        """Access and refresh tokens, each with its family."""
        self.codes: dict[str, Row] = {}
        """Authorization codes, used ones too."""
        self.devices: dict[str, Row] = {}
        """Logins on devices, by the device's code."""
        self.assertions: set[str] = set()
        """The ids of the assertions that were used."""
        self.replays: dict[tuple[str, str], tuple[Any, ...]] = {}
        """First answers, by credential and `Idempotency-Key`."""
        self.cursors: dict[str, tuple[tuple[Any, ...] | None, list[Any]]] = {}
        """The cursors that were given out: what each belongs to, and the place that it leads behind."""
        self.mails: list[Row] = []
        self.invitations: dict[str, list[float]] = {}
        """When each address was invited."""
        self.admin_id: str = self.add_user(ADMIN_EMAIL, "Example Admin", "admin", "active")["id"]

    # Time and ids ----------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds, by the fake's clock."""
        return self._now() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._ahead_s += seconds

    def reset_clock(self) -> None:
        """Go back to the real time."""
        self._ahead_s = 0.0

    def moment(self) -> str:
        """The present, in ISO 8601."""
        return self.moment_at(self.now())

    def moment_at(self, seconds: float) -> str:
        """A moment in Unix seconds, in ISO 8601."""
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def new_id(self, prefix: str) -> str:
        """An id that no other object has; the same ones in the same order after each reset."""
        return f"{prefix}_{next(self._numbers):0{ID_LENGTH}d}"

    # Rows ------------------------------------------------------------------------------------

    def add_user(self, email: str, name: str, role: str, status: str) -> Row:
        """Add a user."""
        moment = self.moment()
        user: Row = {
            "id": self.new_id("usr"),
            "email": email,
            "name": name,
            "role": role,
            "status": status,
            "invitation_sent_at": None,
            "created_at": moment,
            "updated_at": moment,
            "_accepted": status == "active",
        }
        self.users[user["id"]] = user
        return user

    def invite(self, user: Row) -> None:
        """Mail a user the link to accept the invitation."""
        link = f"https://api.blueround.com/oauth/invitations/{self.new_id('inv')}"
        text = f"Hello {user['name']}, you are invited to BlueRound. Accept here: {link}"
        self.mails.append({"to": user["email"], "subject": "Your invitation to BlueRound", "text": text, "link": link})
        user.update(status="pending_invite", invitation_sent_at=self.moment())

    def add_api_key(self, key: str, *, owner_id: str, **fields: Any) -> Row:
        """Add an API key."""
        id_ = self.new_id("key")
        self.api_keys[id_] = {"id": id_, **fields, "hint": key[-HINT_LENGTH:], "created_at": self.moment()}
        self.keys[key], self.owners[id_] = id_, owner_id
        return self.api_keys[id_]

    def add_application(self, secret: str | None, *, owner_id: str, **fields: Any) -> Row:
        """Add an application; one without a secret is public."""
        id_ = self.new_id("app")
        kind = "public" if secret is None else "confidential"
        self.applications[id_] = {"id": id_, "type": kind, **fields, "created_at": self.moment()}
        self.secrets[id_], self.owners[id_] = secret, owner_id
        return self.applications[id_]

    def change(self, row: Row, changes: Row) -> Row:
        """Change a row, and say when."""
        row.update(changes, updated_at=self.moment())
        return row


def folded(text: str) -> str:
    """What two spellings of one text have in common, in any case and any Unicode form."""
    return normalize("NFKC", text).casefold()


def contains(row: Row, names: Iterable[str], wanted: str | None) -> bool:
    """Whether one of the fields contains what is searched for; None finds everything."""
    return wanted is None or any(lower(wanted) in lower(row[name]) for name in names)


def lower(text: str) -> str:
    """What the reference server compares of a text: any case and Unicode form, a final sigma or not, ß or SS."""
    plain = normalize("NFKC", text).replace("\u0130", "i").lower()  # dotted I, as PostgreSQL has it
    return plain.replace("\u03c2", "\u03c3").replace("ß", "ss")


def newest_first(rows: Iterable[Row]) -> list[Row]:
    """Rows as every listing orders them (contract section 3): ids break ties, and ours count up."""
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
