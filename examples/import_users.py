"""Imports people from a CSV file, with progress; prints the rows that were refused."""

from pathlib import Path

from redcore import Client, WorkflowRun


def show(run: WorkflowRun) -> None:
    print(f"{run.status}: {run.progress:.0%}")


def main() -> None:
    people = Path("people.csv")
    people.write_text(
        "email,name,role\n"
        "ada@example.com,Ada Lovelace,editor\n"
        "grace,Grace Hopper,viewer\n"
    )
    with Client() as client:
        file = client.files.upload(file=people)
        run = client.workflows.run(
            "user_import", input={"file_id": file.id, "partial": True}
        )
        run = client.workflows.wait(run, timeout=300, on_progress=show)
        if run.status != "succeeded" or run.result is None:
            raise SystemExit(f"{run.status}: {run.error}")
        print("created", run.result["created"], "refused", run.result["failed"])
        for problem in run.result["problems"]:
            print(problem)


if __name__ == "__main__":
    main()
