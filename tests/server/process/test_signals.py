"""Signals end a process in order, at any moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redcore_server import __main__ as entry

STRIKE = "import os, signal\nos.kill(os.getpid(), signal.{name})\nsignal.pause()"
PROGRAM = """
from redcore_server.process.signals import interruptible

with interruptible():
    {work}
    print("never")
print("ended")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_block_and_the_process_with_code_0(name: str) -> None:
    """Also in a source that is executed, as during imports: CPython remembers a KeyboardInterrupt there."""
    program = PROGRAM.format(work=f"exec({STRIKE.format(name=name)!r})")

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - our own

    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_during_an_import_ends_the_block_after_it(name: str, tmp_path: Path) -> None:
    """Raised inside, it can leave a lock of the import system locked, for which the threads of the stores wait."""
    module = tmp_path / "struck.py"
    module.write_text(f"import os, signal\nos.kill(os.getpid(), signal.{name})\nprint('imported')\n")
    program = PROGRAM.format(work="import struck\n    while True:\n        pass")

    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "imported\nended\n", "")


def test_ctrl_c_while_the_command_is_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half a second, before any handler of signals is set."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("redcore_server.process.command.main", interrupted)

    with pytest.raises(SystemExit) as ended:
        entry.main()

    assert ended.value.code == entry.INTERRUPTED
