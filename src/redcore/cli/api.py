"""`redcore api METHOD PATH`: whatever the SDK does not know yet, with its authentication, retries and errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, cast
from urllib.parse import urlsplit

import click

from redcore.cli.app import CONTEXT
from redcore.cli.operations import PAGE
from redcore.cli.options import chosen_output, output_options, with_common
from redcore.cli.state import State

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")
VERSION_PREFIX = "/v1"


@with_common(
    output_options(),
    examples=[
        "redcore api /users -f role=admin --paginate --jq '.[].email'",
        "redcore api POST /users -f email=ada@example.com -f name=Ada",
    ],
)
@click.command("api", context_settings=CONTEXT)
@click.argument("words", nargs=-1, metavar="[METHOD] PATH")
@click.option("-X", "--method", metavar="METHOD", help="The method, if it is not the word before PATH.")
@click.option("-f", "--field", "texts", multiple=True, metavar="KEY=VALUE", help="A field, as text.")
@click.option("-F", "--typed-field", "typed", multiple=True, metavar="KEY=JSON", help="A field, as JSON.")
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header to add.")
@click.option("--input", "source", metavar="FILE", help="The body, as it is; - for stdin.")
@click.option("--content-type", default="application/json", help="What --input is; application/json if left out.")
@click.option("--paginate", is_flag=True, help="Fetch all pages, and print their items as one listing.")
@click.option("-i", "--include", is_flag=True, help="Print the status and the headers of the answer first.")
@click.option("--idempotency-key", metavar="KEY", help="Makes a POST or PATCH safe to repeat.")
@click.pass_obj
def command(
    state: State,
    *,
    words: tuple[str, ...],
    method: str | None,
    texts: tuple[str, ...],
    typed: tuple[str, ...],
    headers: tuple[str, ...],
    source: str | None,
    content_type: str,
    paginate: bool,
    include: bool,
    idempotency_key: str | None,
    fields: str | None,
    jq: str,
) -> None:
    """Call the API directly.

    METHOD is GET if left out, or POST with fields or --input but without --paginate. PATH is relative to the address
    of the API: /users, or /v1/users. Fields are the query of a GET and the JSON body of everything else.
    """
    output = chosen_output(state, fields, jq)
    given = {**pairs(texts, json.loads, typed)}
    verb, path = read((method, *words) if method else words, has_body=bool(source or given) and not paginate)
    options: dict[str, Any] = {"headers": dict(map(header, headers))}
    if idempotency_key is not None:
        options["idempotency_key"] = idempotency_key
    if source is not None:
        if given:
            raise click.UsageError("Give either fields or --input.")
        options |= {"content": body(source), "content_type": content_type}
    elif given:
        options |= {"query" if verb in {"GET", "HEAD"} else "json": given}
    if paginate:
        if verb != "GET":
            raise click.UsageError("--paginate is for GET.")
        output.many(items(state, path, options), ())
        return
    answer = state.client().request(verb, path, **options)
    if include:
        click.echo(f"HTTP {answer.status_code}")
        for name, value in answer.headers.items():
            click.echo(f"{name}: {value}")
        click.echo()
    show(output, answer.value)


def show(output: Any, value: Any) -> None:
    """Print an answer of any shape: a listing, an object, bytes, nothing, any other JSON."""
    if value is None:
        return
    if isinstance(value, bytes):
        sys.stdout.buffer.write(value)
        return
    data: Any = cast("Mapping[str, Any]", value).get("data", value) if isinstance(value, Mapping) else value
    if is_listing(data):
        output.many(data, tuple(data[0]) if data else ())
    elif isinstance(data, Mapping):
        output.one(dict(cast("Mapping[str, Any]", data)), ())
    else:
        output.other(data)


def is_listing(data: Any) -> TypeGuard[Sequence[dict[str, Any]]]:
    """Whether data are objects in a list."""
    return isinstance(data, list) and all(isinstance(item, dict) for item in cast("Sequence[Any]", data))


def read(words: tuple[str, ...], *, has_body: bool) -> tuple[str, str]:
    """Return method and path.

    Raises:
        click.UsageError: they are something else.
    """
    if len(words) == 1:
        words = ("POST" if has_body else "GET", *words)
    if len(words) != 2:
        raise click.UsageError("Give a method and a path, as in: redcore api GET /users")
    method, path = words[0].upper(), words[1]
    if method not in METHODS:
        raise click.UsageError(f"{words[0]!r} is not a method; it is one of {', '.join(METHODS)}.")
    if urlsplit(path).scheme:
        raise click.UsageError(
            "PATH is relative to the address of the API, such as /users; set the address with --base-url."
        )
    path = "/" + path.lstrip("/")
    return method, path.removeprefix(VERSION_PREFIX) if path.startswith(f"{VERSION_PREFIX}/") else path


def pairs(texts: tuple[str, ...], decode: Any, typed: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields.

    Raises:
        click.UsageError: one has no `=`, or its value is not JSON.
    """
    found: dict[str, Any] = {}
    for given, is_typed in [*((text, False) for text in texts), *((text, True) for text in typed)]:
        name, equals, value = given.partition("=")
        if not (name and equals):
            raise click.UsageError(f"A field is KEY=VALUE, which {given!r} is not.")
        try:
            found[name] = decode(value) if is_typed else value
        except ValueError:
            raise click.UsageError(f"{given!r}: the value is not JSON; use -f for text.") from None
    return found


def header(given: str) -> tuple[str, str]:
    """Return the name and the value of a header."""
    name, colon, value = given.partition(":")
    if not (name.strip() and colon):
        raise click.UsageError(f"A header is NAME:VALUE, which {given!r} is not.")
    return name.strip(), value.strip()


def body(source: str) -> bytes:
    """Return the bytes of a file, or of stdin for `-`."""
    try:
        if source == "-":
            return sys.stdin.buffer.read()
        with open(source, "rb") as file:  # noqa: PTH123 (as the person typed it)
            return file.read()
    except OSError as problem:
        raise click.UsageError(f"{source} cannot be read: {problem.strerror}.") from None


def items(state: State, path: str, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the items of all pages of a listing: by cursor where the answers have one, else by offset."""
    query: dict[str, Any] = {"limit": PAGE, **options.pop("query", {})}
    seen = number(query.get("offset", 0))
    while True:
        value: Any = state.client().request("GET", path, query=query, **options).value
        data: Any = cast("Mapping[str, Any]", value).get("data") if isinstance(value, Mapping) else None
        if not is_listing(data):
            raise click.ClickException(f"{path} is not a listing: --paginate needs one")
        yield from data
        seen += len(data)
        meta = cast("Mapping[str, Any]", value.get("meta") or {})
        query.pop("offset", None)
        if cursor := meta.get("next_cursor"):
            query["cursor"] = cursor
        elif data and "next_cursor" not in meta and seen < meta.get("total", 0):  # a server without cursors
            query["offset"] = seen
        else:
            return


def number(offset: Any) -> int:
    """Return where a walk by offset begins.

    Raises:
        click.UsageError: it is not a number.
    """
    try:
        return int(offset)
    except (TypeError, ValueError):
        raise click.UsageError(f"offset must be a whole number; got {offset!r}.") from None
