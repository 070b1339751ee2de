"""Exports the catalog and downloads it.

An interrupted download resumes when it is started again.
"""

from pathlib import Path

from redcore import Client, Progress


def show(progress: Progress) -> None:
    print(f"{progress.done} of {progress.total} bytes")


def main() -> None:
    target = Path("catalog.jsonl")
    with Client() as client:
        client.products.create(
            name="Analytical Engine", sku="ENG-1", price=129900, stock=3
        )
        run = client.workflows.wait(
            client.workflows.run("catalog_export", input={"format": "jsonl"}),
            timeout=300,
        )
        if run.status != "succeeded" or run.result is None:
            raise SystemExit(f"{run.status}: {run.error}")
        client.files.download(run.result["file_id"], to=target, on_progress=show)
    print(target.read_text())


if __name__ == "__main__":
    main()
