"""What the built-in workflows do when a run ends (contract section 5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from redcore.testing._fake.contract import contract
from redcore.testing._fake.handlers.files import store
from redcore.testing._fake.handlers.products import add_product, by_sku, with_status
from redcore.testing._fake.state import Row, State, folded

COLUMNS = ("id", "sku", "name", "price", "stock", "status", "created_at", "updated_at")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and full-width
FILE_ID: Row = {"type": "string", "minLength": 1, "maxLength": 64, "description": "Of an uploaded file."}
PARTIAL: Row = {
    "type": "boolean",
    "default": False,
    "description": "Whether to import the good rows if others are bad; otherwise it is all or nothing.",
}
IMPORT: Row = {
    "type": "object",
    "required": ["file_id"],
    "properties": {"file_id": FILE_ID, "partial": PARTIAL},
    "additionalProperties": False,
}


class RunFailedError(Exception):
    """A run that cannot succeed; with the problems of its rows."""

    def __init__(self, message: str, details: list[Row] | None = None) -> None:
        super().__init__(message)
        self.explanation: Row = {"message": message, "details": details or []}


@attrs.frozen
class Definition:
    """A kind of work."""

    description: str
    scopes: tuple[str, ...]
    input_schema: Row
    work: Callable[[State, Row], Row]


def finish(state: State, run: Row) -> None:
    """Do the work of a run, and end it."""
    run.update(started_at=state.moment(), status="running")
    try:
        result = DEFINITIONS[run["workflow"]].work(state, run["input"])
    except RunFailedError as error:
        run.update(status="failed", error=error.explanation, finished_at=state.moment())
    else:
        run.update(status="succeeded", progress=1.0, result=result, finished_at=state.moment())


def catalog_export(state: State, given: Row) -> Row:
    """Write the catalog to a file."""
    kind = given.get("format", "csv")
    rows = [{name: product[name] for name in COLUMNS} for product in sorted(state.products.values(), key=_sku)]
    if kind == "jsonl":
        content = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    else:
        text = io.StringIO(newline="")
        shown = inert if given.get("safe_for_spreadsheets") else str
        csv.writer(text).writerows([COLUMNS, *(map(shown, row.values()) for row in rows)])
        content = text.getvalue().encode()
    media = {"csv": "text/csv", "jsonl": "application/x-ndjson"}[kind]
    return {"file_id": store(state, f"catalog.{kind}", media, content)["id"]}


def inert(value: Any) -> str:
    """A value that spreadsheets do not take for a formula (OWASP, CSV Injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else str(value)


def catalog_import(state: State, given: Row) -> Row:
    """Create and update products by their sku."""
    good, bad = checked_rows(rows_of(state, given), "products_create", ("sku", "name", "price", "stock", "status"))
    require_whole(bad, given)
    created = 0
    for fields in good.values():
        held = by_sku(state, fields["sku"])
        created += held is None
        if held is None:
            add_product(state, fields)
        else:
            state.change(held, with_status(held, fields))
    return {"created": created, "updated": len(good) - created, "failed": len(bad), "problems": bad}


def user_import(state: State, given: Row) -> Row:
    """Create and invite users."""
    good, bad = checked_rows(rows_of(state, given), "users_create", ("email", "name", "role"))
    taken = {folded(user["email"]) for user in state.users.values()}
    fresh = {number: row for number, row in good.items() if folded(row["email"]) not in taken}
    issue = "is that of a user who exists already"
    bad += [{"field": f"row {number}.email", "issue": issue} for number in good.keys() - fresh.keys()]
    require_whole(bad, given)
    for row in fresh.values():
        state.invite(state.add_user(row["email"], row["name"], row.get("role", "viewer"), "pending_invite"))
    return {"created": len(fresh), "failed": len(bad), "problems": bad}


def docs_publish(state: State, given: Row) -> Row:
    """Name the version that would be published; the fake has no CDN, so it only checks that the file exists."""
    if "file_id" in given and given["file_id"] not in state.files:
        raise RunFailedError(f"File {given['file_id']} does not exist.")
    return {"version": given.get("version", given.get("file_id", "")), "path": "/docs/"}


def rows_of(state: State, given: Row) -> list[Row]:
    """The rows of a CSV file with a heading or of a file of JSON lines."""
    content = state.contents.get(given["file_id"])
    if content is None:
        raise RunFailedError(f"File {given['file_id']} does not exist.")
    if content.lstrip()[:1] == b"{":
        return [msgspec.json.decode(line) for line in content.splitlines() if line.strip()]
    return [
        {name: int(value) if name in {"price", "stock"} and value.isdecimal() else value for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    ]


def checked_rows(rows: list[Row], operation: str, names: tuple[str, ...]) -> tuple[dict[int, Row], list[Row]]:
    """The rows that the operation would take, by their number, and one problem of each other one."""
    good: dict[int, Row] = {}
    bad: list[Row] = []
    for number, row in enumerate(rows, 1):
        fields = {name: row[name] for name in names if row.get(name) not in {None, ""}}
        problems = contract().operations[operation].body_problems(fields)
        if problems:
            bad.append({"field": f"row {number}.{problems[0][0]}", "issue": problems[0][1]})
        else:
            good[number] = fields
    return good, bad


def require_whole(bad: list[Row], given: Row) -> None:
    """Import nothing if there are problems, unless the good rows were asked for."""
    if bad and not given.get("partial"):
        rows = "1 row has" if len(bad) == 1 else f"{len(bad)} rows have"
        raise RunFailedError(f"{rows} problems, so nothing was imported.", bad)


def _sku(product: Row) -> Any:
    return product["sku"]


DEFINITIONS: Mapping[str, Definition] = {
    "catalog_export": Definition(
        "Writes the whole catalog to a file, `result.file_id`: CSV with a heading, or a JSON object a line.",
        ("products:read", "files:write"),
        {
            "type": "object",
            "properties": {
                "format": {"enum": ["csv", "jsonl"], "default": "csv", "description": "Of the file."},
                "safe_for_spreadsheets": {
                    "type": "boolean",
                    "default": False,
                    "description": (
                        "Whether texts of a CSV file that a spreadsheet would take for a formula get a ' in front; "
                        "they are not imported again as they were."
                    ),
                },
            },
            "additionalProperties": False,
        },
        catalog_export,
    ),
    "catalog_import": Definition(
        "Creates and updates products by their sku from a CSV file with a heading or a file of JSON lines, "
        "such as `catalog_export` writes. `result` counts what was created, updated and failed.",
        ("products:write", "files:read"),
        IMPORT,
        catalog_import,
    ),
    "user_import": Definition(
        "Creates users from a CSV file with the heading `email,name,role` or a file of JSON lines, and mails each an "
        "invitation. `result` counts what was created and failed.",
        ("users:write", "files:read"),
        IMPORT,
        user_import,
    ),
    "docs_publish": Definition(
        "Publishes the files of an uploaded zip archive under `result.path`, all at once, in place of those that were "
        "there; or goes back to an earlier `result.version`, of which the newest ten are kept.",
        ("files:read",),
        {
            "type": "object",
            "properties": {
                "file_id": {**FILE_ID, "description": "Of the archive."},
                "version": {**FILE_ID, "description": "To go back to."},
            },
            "additionalProperties": False,
        },
        docs_publish,
    ),
}
