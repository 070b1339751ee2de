"""Entry point of the `redcore` command. Imports next to nothing before it knows what is wanted."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from redcore.cli.streams import discard_stdout, open_missing_streams, write_utf8

NEEDS_EXTRA = "redcore: the command line needs its extra: pip install 'redcore-sdk[cli]'"


def main() -> None:
    """Run the command line of this process, and exit with its code (contract section 9)."""
    open_missing_streams()
    write_utf8()
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        from redcore import __version__  # noqa: PLC0415 (nothing more is needed)

        try:
            print(f"redcore {__version__}", flush=True)  # noqa: T201 (for the person at the terminal)
        except OSError as problem:
            discard_stdout()
            sys.exit(f"redcore: stdout: {problem.strerror}")
        return
    if find_spec("click") is None or find_spec("rich") is None:
        print(NEEDS_EXTRA, file=sys.stderr)  # noqa: T201 (as above)
        sys.exit(2)
    from redcore.cli.app import run  # noqa: PLC0415 (needs the extra)

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
