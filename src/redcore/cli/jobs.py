"""Commands that upload, run a workflow and show how it goes: imports, exports, documentation, `runs watch`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from redcore.cli import exit_codes
from redcore.cli.files import REQUEST, inner_files, request_of, stored
from redcore.cli.options import Filled, Id, chosen_output, output_options, with_common
from redcore.cli.options import dry_run as dry_run_option
from redcore.cli.output import Output
from redcore.cli.progress import bytes_bar, share_bar
from redcore.cli.state import State

if TYPE_CHECKING:
    from redcore import WorkflowRun

COLUMNS = (
    "id",
    "workflow",
    "status",
    "progress",
    "input",
    "result",
    "error",
    "created_at",
    "started_at",
    "finished_at",
)
SOURCE = click.Path(path_type=Path, allow_dash=True)


@with_common(output_options(), examples=["redcore runs watch wfr_777", "redcore runs watch wfr_777 --wait 60"])
@click.command("watch")
@click.argument("run_id", type=Id("wfr_", "run"))
@click.option("--wait", "wait_s", type=click.FloatRange(0, min_open=True), help="Seconds to watch at most.")
@click.pass_obj
def watch(state: State, *, run_id: str, wait_s: float | None, fields: str | None, jq: str) -> None:
    """Watch a run until it has ended; fails if the run did not succeed."""
    output = chosen_output(state, fields, jq)
    state.scope_needed = "workflows:read"
    finish(state, output, watched(state, run_id, wait_s))


@with_common(
    [*output_options(), dry_run_option()],
    examples=[
        "redcore products import catalog.csv",
        "redcore users import people.jsonl --partial",
        "redcore products import catalog.csv --no-wait",
    ],
)
@click.command("import")
@click.argument("source", type=SOURCE, metavar="FILE")
@click.option("--partial", is_flag=True, help="Import the good rows, whatever is wrong with others.")
@click.option("--no-wait", is_flag=True, help="Start the import; do not wait for its end.")
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    source: Path,
    partial: bool,
    no_wait: bool,
    dry_run: bool,
    fields: str | None,
    jq: str,
) -> None:
    """Import a CSV or JSON lines file; - is stdin. Without --partial a bad row changes nothing."""
    state: State = ctx.obj
    output = chosen_output(state, fields, jq)
    group = ctx.parent.info_name if ctx.parent else ""
    workflow = "user_import" if group in {"users", "user"} else "catalog_import"
    given: dict[str, Any] = {"partial": True} if partial else {}
    if str(source) != "-" and not source.is_file():
        raise click.UsageError(f"{source} is not a file.")
    if dry_run:
        output.many([request_of(None if str(source) == "-" else source, None), start_of(workflow, given)], REQUEST)
        return
    run_on_file(state, output, workflow, source, given, wait=not no_wait)


def start_of(workflow: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that would start a workflow on a file that is stored first."""
    body = {"input": {"file_id": "file_…", **given}}
    return {"method": "POST", "path": f"/v1/workflows/{workflow}/runs", "body": body}


@with_common(examples=["redcore products export", "redcore products export --format jsonl --to - | head"])
@click.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "jsonl"]), default="csv", help="Format; csv if left out.")
@click.option("--to", type=Filled(), metavar="PATH", help="File to write; - is stdout; catalog.FORMAT if left out.")
@click.option("--safe-for-spreadsheets", is_flag=True, help="Keep cells from being read as formulas.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def export(state: State, *, kind: str, to: str | None, safe_for_spreadsheets: bool, force: bool) -> None:
    """Export the catalog to a file."""
    path = Path(to or f"catalog.{kind}")
    if to != "-" and path.exists() and not force:
        raise click.UsageError(f"{path} is there already; --force writes over it.")
    given: dict[str, Any] = {"format": kind, **({"safe_for_spreadsheets": True} if safe_for_spreadsheets else {})}
    run = watched(state, state.client().workflows.run("catalog_export", input=given), None)
    if run.status != "succeeded":
        failed(state, run)
    file_id = str((run.result or {})["file_id"])
    if to == "-":
        state.client().files.download(file_id, to=sys.stdout.buffer)
        return
    advice = f"The export is ready; get it with: redcore files download {file_id} --to {path}"
    with state.terminal.if_interrupted(advice), bytes_bar(state.terminal, path.name) as update:
        state.client().files.download(file_id, to=path, on_progress=lambda moved: update(moved.done, moved.total))
    click.echo(str(path))


@with_common(
    [*output_options(), dry_run_option()],
    examples=["redcore docs publish _build/html", "redcore docs publish site.zip --dry-run"],
)
@click.command("publish")
@click.argument("source", type=click.Path(path_type=Path, exists=True), metavar="FOLDER|ZIP")
@click.pass_obj
def publish(state: State, *, source: Path, dry_run: bool, fields: str | None, jq: str) -> None:
    """Publish a folder of HTML pages, or a zip archive of one, below /docs/ of the platform."""
    output = chosen_output(state, fields, jq)
    if source.is_dir() and not (source / "index.html").is_file():
        raise click.UsageError(f"{source} has no index.html: give the folder that the pages are built in.")
    name = f"{source.resolve().name.removesuffix('.zip')}.zip"
    if dry_run:
        output.many([request_of(source, name), start_of("docs_publish", {})], REQUEST)
        return
    state.scope_needed = "files:write"
    with state.terminal.if_interrupted("Nothing was published; run the command again."):
        with archived(state, source) as archive, bytes_bar(state.terminal, source.name) as update:
            file = state.client().files.upload(
                file=archive,
                name=name,
                content_type="application/zip",
                on_progress=lambda moved: update(moved.done, moved.total),
            )
        state.scope_needed = "workflows:write"
        run = state.client().workflows.run("docs_publish", input={"file_id": file.id})
    finish(state, output, watched(state, run, None))


@contextlib.contextmanager
def archived(state: State, source: Path) -> Generator[IO[bytes] | Path]:
    """Yield a zip archive as it is, or a folder as a zip archive without hidden files, in a temporary file."""
    if source.is_file():
        yield source
        return
    import tempfile  # noqa: PLC0415 (for folders only)
    import zipfile  # noqa: PLC0415 (as above)

    state.client()  # without a login nothing is packed
    with tempfile.TemporaryFile() as packed:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for file in inner_files(state, source):
                inner = file.relative_to(source)
                if not any(part.startswith(".") for part in inner.parts):
                    archive.write(file, inner.as_posix())
        packed.seek(0)
        yield packed


def run_on_file(
    state: State, output: Output, workflow: str, source: Path, given: Mapping[str, Any], *, wait: bool
) -> None:
    """Upload a file, start a workflow on it, and show the run."""
    state.scope_needed = "files:write"
    with state.terminal.if_interrupted("Nothing was imported; run the command again."):
        file = stored(state, None if str(source) == "-" else source, "stdin" if str(source) == "-" else None, {})
        state.scope_needed = "workflows:write"
        run = state.client().workflows.run(workflow, input={"file_id": file.id, **given})
    if wait:
        finish(state, output, watched(state, run, None))
    else:
        state.terminal.note(f"Started; watch it with: redcore runs watch {run.id}")
        output.one(run, COLUMNS)


def watched(state: State, run: WorkflowRun | str, wait_s: float | None) -> WorkflowRun:
    """Wait for a run, and show how it goes."""
    run_id = run if isinstance(run, str) else run.id
    advice = f"The run goes on. Watch it: redcore runs watch {run_id}; stop it: redcore runs cancel {run_id}"
    with state.terminal.if_interrupted(advice), share_bar(state.terminal, run_id) as update:
        return state.client().workflows.wait(run, timeout=wait_s, on_progress=lambda seen: update(seen.progress, 1.0))


def finish(state: State, output: Output, run: WorkflowRun) -> None:
    """Print a run that has ended; fail if it did not succeed."""
    output.one(run, COLUMNS)
    if run.status != "succeeded":
        failed(state, run)


def failed(state: State, run: WorkflowRun) -> None:
    """Say why a run did not succeed, and leave.

    Raises:
        click.exceptions.Exit: always.
    """
    ended = "was cancelled" if run.status == "cancelled" else "failed"
    state.terminal.error(f"the run {run.id} {ended}{f': {run.error.message}' if run.error else ''}")
    for detail in (run.error.details or ()) if run.error else ():
        state.terminal.note(f"  {detail.field}: {detail.issue}")
    raise click.exceptions.Exit(exit_codes.FAILED)
