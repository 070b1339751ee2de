"""Settings: where they are stored, and that no text written by a person is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from redcore.cli.profiles import Profiles


def test_a_value_is_set_shown_with_its_origin_and_removed(run_cli: Run) -> None:
    """The profile wins over the default."""
    run_cli("config", "set", "timeout", "12")
    shown = run_cli("config", "list", "--output", "json").json
    run_cli("config", "set", "timeout", "--unset")

    assert {"setting": "timeout", "value": "12", "from": "profile default"} in shown
    assert run_cli("config", "get", "timeout").out == "30\n"


def test_concurrent_changes_are_all_kept(config_dir: Path) -> None:
    """Each command reads the file again before it writes it, under a lock."""
    opened = [Profiles(config_dir) for _ in range(8)]

    def change(number: int) -> None:
        opened[number].change(f"p{number}", {"output": "json"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))

    assert Profiles(config_dir).names == [f"p{number}" for number in range(8)]


def test_comments_and_links_are_kept(run_cli: Run, config_dir: Path, tmp_path: Path) -> None:
    """People keep settings in a folder under version control, and write notes into them."""
    config_dir.mkdir()
    (tmp_path / "dotfiles.toml").write_text("# mine\n[profiles.default]\ntimeout = '5' # slow network\n")
    (config_dir / "config.toml").symlink_to(tmp_path / "dotfiles.toml")
    run_cli("config", "set", "output", "csv")

    assert (config_dir / "config.toml").is_symlink()
    written = (tmp_path / "dotfiles.toml").read_text()
    assert "# mine" in written
    assert "# slow network" in written
    assert 'output = "csv"' in written


def test_a_setting_that_is_misspelt_in_the_file_is_named(run_cli: Run, config_dir: Path) -> None:
    """With the setting that is meant, by `config list` and the doctor."""
    config_dir.mkdir()
    (config_dir / "config.toml").write_text(
        '\N{ZERO WIDTH NO-BREAK SPACE}[profiles.default]\r\nbase_ulr = "http://127.0.0.1:9/v1"\r\n'
    )

    assert "did you mean base_url?" in run_cli("config", "list").err
    findings = run_cli("doctor", "--json", "--base-url", "http://127.0.0.1:9/v1").json
    assert any("did you mean base_url?" in finding["advice"] for finding in findings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"x = [", "is not a configuration in TOML"),
        (b"profiles = 3", "[profiles.NAME]"),
        (b"\0\xff", "is not text in UTF-8"),
    ],
)
def test_a_broken_file_is_named(run_cli: Run, config_dir: Path, text: bytes, expected: str) -> None:
    """It is not overwritten."""
    config_dir.mkdir()
    (config_dir / "config.toml").write_bytes(text)
    outcome = run_cli("config", "set", "output", "csv")

    assert (outcome.code, expected in outcome.err) == (1, True)
    assert (config_dir / "config.toml").read_bytes() == text


def test_a_folder_that_cannot_be_written_is_named(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, without a traceback."""
    monkeypatch.setenv("REDCORE_CONFIG_DIR", "/dev/null/none")
    outcome = run_cli("config", "set", "output", "csv")

    assert (outcome.code, "cannot be written" in outcome.err) == (1, True)


def test_a_profile_without_a_name_is_a_usage_error(run_cli: Run, config_dir: Path) -> None:
    """`--profile "$UNSET"` must not change another profile."""
    assert run_cli("config", "set", "output", "csv", "--profile", "").code == 2
    assert not (config_dir / "config.toml").exists()


def test_a_dry_run_changes_nothing(run_cli: Run, config_dir: Path) -> None:
    """It says what it would do."""
    outcome = run_cli("config", "set", "output", "csv", "--dry-run")

    assert "Would set output to csv in profile default" in outcome.out
    assert not (config_dir / "config.toml").exists()
