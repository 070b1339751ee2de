"""Walks a large listing fast; after a failure it resumes where it stopped."""

from pathlib import Path

from redcore import Client, RedcoreError

CHECKPOINT = Path("walk_users.offset")


def main() -> None:
    start = int(CHECKPOINT.read_text()) if CHECKPOINT.exists() else 0
    with Client(max_retries=5) as client:
        users = client.users.list_all(offset=start, concurrency=8).iter_items()
        try:
            for user in users:
                print(user.email)
        except RedcoreError:
            CHECKPOINT.write_text(str(users.offset))
            raise
    CHECKPOINT.unlink(missing_ok=True)
    print("walked to", users.offset)


if __name__ == "__main__":
    main()
