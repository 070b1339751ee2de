"""Entry point of `redcore-server`: if its extra is missing, prints what to install before importing anything."""

from __future__ import annotations

import sys
from importlib.util import find_spec

NEEDED = ("click", "starlette", "uvicorn", "psycopg", "procrastinate")  # other extras install `click` as well

INTERRUPTED = 130  # as shells report a program that SIGINT ended


def main() -> None:
    """Run the command, if the extra is installed."""
    if not all(map(find_spec, NEEDED)):
        sys.stderr.write("redcore-server needs its extra: pip install 'redcore-sdk[server]'\n")
        sys.exit(2)
    try:
        from redcore_server.process.command import main as run  # noqa: PLC0415 (it needs the extra)

        run()
    except KeyboardInterrupt:  # Ctrl-C while it imports: later on each command decides what it does
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
