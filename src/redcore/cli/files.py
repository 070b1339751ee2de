"""`redcore files upload` and `download`: many files, folders, stdin and stdout, with resume and checksums."""

from __future__ import annotations

import contextlib
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redcore.cli import exit_codes
from redcore.cli.options import Filled, Id, chosen_output, output_options, with_common
from redcore.cli.options import dry_run as dry_run_option
from redcore.cli.progress import bytes_bar
from redcore.cli.state import State

if TYPE_CHECKING:
    from redcore import File

REQUEST = ("method", "path", "body")
"""What `--dry-run` prints of each request."""
COLUMNS = ("id", "name", "content_type", "size", "sha256", "created_at")
PIECE_BYTES = 256 * 1024
"""What is read from stdin at once."""


@with_common(
    [*output_options(), dry_run_option()],
    examples=[
        "redcore files upload report.pdf",
        "redcore files upload --recursive notes",
        "tar cz logs | redcore files upload - --name logs.tgz",
    ],
)
@click.command("upload")
@click.argument("sources", nargs=-1, required=True, type=Filled(), metavar="FILE…")
@click.option("--name", type=Filled(), help="Name to store it under, for a single file; the file's own if left out.")
@click.option("--content-type", type=Filled(), metavar="TYPE", help="Media type; guessed from the name if left out.")
@click.option("--recursive", "-r", is_flag=True, help="Upload the files of folders, each under its path in the folder.")
@click.option("--idempotency-key", metavar="KEY", help="Makes a repetition safe, for a single file.")
@click.pass_obj
def upload(
    state: State,
    *,
    sources: tuple[str, ...],
    name: str | None,
    content_type: str | None,
    recursive: bool,
    idempotency_key: str | None,
    dry_run: bool,
    fields: str | None,
    jq: str,
) -> None:
    """Upload files; - is stdin.

    Each is compared with the checksum of what was stored. After an interruption nothing is left of the file that was
    under way; those before it are stored, and named on stdout.
    """
    output = chosen_output(state, fields, jq)
    state.scope_needed = "files:write"
    found = list(expanded(state, sources, recursive=recursive))
    if sources.count("-") > 1:
        raise click.UsageError("- can be given once: stdin is read to its end.")
    if len(found) > 1 and (name or idempotency_key is not None):
        raise click.UsageError("--name and --idempotency-key are for a single file.")
    if dry_run:
        output.many((request_of(path, name or label) for path, label in found), REQUEST)
        return
    given: dict[str, Any] = {"content_type": content_type}
    if idempotency_key is not None:
        given["idempotency_key"] = idempotency_key
    failures: list[int] = []
    output.many(each_stored(state, found, name, given, failures), COLUMNS)
    if failures:
        state.terminal.note(f"{len(failures)} of {len(found)} files were not stored.")
        raise click.exceptions.Exit(failures[0])


def request_of(path: Path | None, label: str | None) -> dict[str, Any]:
    """Return the request that would store a file."""
    body = {"name": label or (path.name if path else "stdin"), "file": str(path or "-")}
    return {"method": "POST", "path": "/v1/files", "body": body}


def each_stored(
    state: State,
    found: Sequence[tuple[Path | None, str | None]],
    name: str | None,
    given: dict[str, Any],
    failures: list[int],
) -> Iterator[File]:
    """Upload files one after the other; one that fails does not keep the others back.

    Args:
        state: Of this run.
        found: The files, each with the name it is stored under; None for its own.
        name: What `--name` says.
        given: Other options of the upload.
        failures: Takes the exit code of each that failed.
    """
    from redcore.cli.failures import explain  # noqa: PLC0415 (imports the SDK)
    from redcore.exceptions import RedcoreError  # noqa: PLC0415 (as above)

    for number, (path, label) in enumerate(found):
        advice = f"{path or 'stdin'} was not stored; {number} of {len(found)} files were. Upload the others again."
        try:
            with state.terminal.if_interrupted(advice):
                file = stored(state, path, name or label, given)
            yield file
        except RedcoreError as error:
            code = explain(error, state)
            if code == exit_codes.NOT_ALLOWED or len(found) == 1:  # the others would fail in the same way
                raise click.exceptions.Exit(code) from None
            state.terminal.note(f"  {path or 'stdin'} was not stored.")
            failures.append(code)


def stored(state: State, path: Path | None, label: str | None, given: dict[str, Any]) -> File:
    """Upload one file, or stdin for None."""
    content = from_stdin() if path is None else path
    options: dict[str, Any] = {**given, "name": label} if label else given
    with bytes_bar(state.terminal, label or (path.name if path else "stdin")) as update:
        return state.client().files.upload(
            file=content,
            on_progress=lambda progress: update(progress.done, progress.total),
            **options,
        )


def from_stdin() -> Iterator[bytes]:
    """Yield what stdin gives, piece by piece."""
    while piece := sys.stdin.buffer.read(PIECE_BYTES):
        yield piece


def expanded(state: State, sources: Sequence[str], *, recursive: bool) -> Iterator[tuple[Path | None, str | None]]:
    """Yield the files that are named, each with the name it is stored under; None for its own.

    Raises:
        click.UsageError: one is not there, or is a folder without `--recursive`.
    """
    for source in sources:
        path = Path(source)
        if source == "-":
            yield None, "stdin"
        elif path.is_dir():
            if not recursive:
                raise click.UsageError(f"{source} is a folder; --recursive uploads what is in it.")
            yield from ((file, file.relative_to(path).as_posix()) for file in inner_files(state, path))
        elif path.exists():
            yield path, None
        else:
            raise click.UsageError(f"{source} is not there.")


def inner_files(state: State, folder: Path) -> list[Path]:
    """Return the files in a folder and below it, sorted. Links are left out: they may lead anywhere, or in circles."""
    inner = sorted(folder.rglob("*"))
    for link in filter(Path.is_symlink, inner):
        state.terminal.warn(f"{link} is a link, and is left out")
    return [file for file in inner if file.is_file() and not file.is_symlink()]


@with_common(
    examples=["redcore files download file_4711", "redcore files download file_4711 --to - | tar tz"],
)
@click.command("download")
@click.argument("ids", nargs=-1, required=True, type=Id("file_", "file"), metavar="FILE_ID…")
@click.option(
    "--to",
    type=Filled(),
    metavar="PATH",
    help="File or folder to write to; - is stdout. The file's own name if left out.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--no-resume", is_flag=True, help="Begin anew, even if a part of the file is there.")
@click.pass_obj
def download(state: State, *, ids: tuple[str, ...], to: str | None, force: bool, no_resume: bool) -> None:
    """Download files.

    A file appears under its name when it is whole and its checksum is right. After an interruption the same command
    goes on where it stopped.
    """
    state.scope_needed = "files:read"
    if len(ids) > 1 and to is not None and not Path(to).is_dir():
        raise click.UsageError("--to must be a folder that is there, for several files.")
    for file_id in ids:
        if to == "-":
            state.client().files.download(file_id, to=sys.stdout.buffer)
        else:
            fetched(state, file_id, to, force=force, resume=not no_resume)


def fetched(state: State, file_id: str, to: str | None, *, force: bool, resume: bool) -> None:
    """Download one file to a path, and print it."""
    path = place(state, file_id, to)
    if not force and path.is_symlink() and path != Path(to or ""):  # a link that was not asked for by its name
        raise click.UsageError(f"{path} is a link; --force writes to where it leads.")
    with contextlib.suppress(OSError):
        if not force and stat.S_ISREG(path.stat().st_mode):
            raise click.UsageError(f"{path} is there already; --force writes over it.")
    advice = "The part that has arrived is kept; the same command goes on from there."
    with state.terminal.if_interrupted(advice), bytes_bar(state.terminal, path.name) as update:
        state.client().files.download(
            file_id, to=path, resume=resume, on_progress=lambda progress: update(progress.done, progress.total)
        )
    click.echo(str(path))


def place(state: State, file_id: str, to: str | None) -> Path:
    """Return where a file goes: what `--to` says, or the file's own name, without any folder that it may contain."""
    target = Path(to) if to is not None else Path()
    if to is not None and not target.is_dir():
        return target
    name = state.client().files.get(file_id).name.replace("\\", "/").rsplit("/", 1)[-1]
    # A terminal, or a reader of the name, is not to be misled by what cannot be seen.
    shown = "".join(character if character.isprintable() else "_" for character in name)
    return target / (shown if shown not in {"", ".", ".."} else file_id)
