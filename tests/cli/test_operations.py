"""The commands of the spec's operations, against the reference server."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from redcore.cli.output import Output
from redcore.testing import Fault, Lab


def create(cli: Run, email: str, name: str = "Ada") -> str:
    """Return the id of a new user."""
    return str(cli("users", "create", "--email", email, "--name", name, "--json", "id").json["id"])


def test_an_object_is_created_read_changed_and_deleted(cli: Run) -> None:
    """The id that `create` prints is accepted by the other commands."""
    made = cli(
        "products", "create", "--name", "Engine", "--sku", "ENG", "--price", "100", "--stock", "1", "--output", "json"
    )
    product = made.json["id"]

    assert cli("products", "get", product, "--jq", ".sku").out == "ENG\n"
    assert cli("products", "update", product, "--stock", "0", "--json", "status").json == {"status": "out_of_stock"}
    assert cli("products", "delete", product, "--yes").code == 0
    assert cli("products", "get", product).code == 3


def test_a_listing_in_a_pipe_has_the_columns_of_the_spec_separated_by_tabs(cli: Run) -> None:
    """No heading, one line for each item."""
    create(cli, "ada@example.com")
    rows = [line.split("\t") for line in cli("users", "list").out.splitlines()]

    assert [(row[1], row[2], row[3]) for row in rows] == [
        ("ada@example.com", "Ada", "viewer"),
        ("admin@example.com", "Example Admin", "admin"),
    ]


def test_csv_round_trips(cli: Run) -> None:
    """Quotes, commas and line ends in a name survive."""
    create(cli, "ada@example.com", 'Ada "the first", Countess')
    rows = list(csv.DictReader(io.StringIO(cli("users", "list", "--output", "csv").out)))

    assert rows[0]["name"] == 'Ada "the first", Countess'


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-x", "\uff1d1+1"])
def test_csv_can_be_made_safe_for_spreadsheets(cli: Run, name: str) -> None:
    """A text that would be taken for a formula gets an apostrophe in front; without the option it stays as it is."""
    create(cli, "ada@example.com", name)
    listing = ("users", "list", "--limit", "1", "--output", "csv", "--json", "name")

    assert list(csv.reader(io.StringIO(cli(*listing).out)))[1] == [name]
    assert list(csv.reader(io.StringIO(cli(*listing, "--safe-for-spreadsheets").out)))[1] == [f"'{name}"]


def test_numbers_stay_numbers_in_csv_for_spreadsheets(capsys: pytest.CaptureFixture[str]) -> None:
    """A negative number is not a formula."""
    Output("csv", fields=(), jq="", in_colour=False, safe=True).many([{"stock": -1, "sku": "-1"}], ("stock", "sku"))

    assert capsys.readouterr().out == "stock,sku\n-1,'-1\n"


def test_the_option_for_spreadsheets_needs_csv(cli: Run) -> None:
    """With another format it is refused."""
    outcome = cli("users", "list", "--safe-for-spreadsheets")

    assert (outcome.code, "--output csv" in outcome.err) == (2, True)


def test_json_lines_are_filtered_one_by_one(cli: Run) -> None:
    """`--jq` applies to an item with jsonl, to the array with json."""
    create(cli, "ada@example.com")

    assert cli("users", "list", "--output", "jsonl", "--jq", ".email").out.split() == [
        "ada@example.com",
        "admin@example.com",
    ]
    assert cli("users", "list", "--jq", "length").out == "2\n"


def test_the_limit_counts_items_and_all_walks(cli: Run) -> None:
    """`--limit` is not a page size; `--all` ends with the last item, also when pages are fetched concurrently."""
    for number in range(3):
        create(cli, f"u{number}@example.com")

    assert len(cli("users", "list", "--limit", "2", "--json", "id").json) == 2
    assert len(cli("users", "list", "--all", "--concurrency", "2", "--json", "id").json) == 4


def test_a_body_can_come_from_a_file_or_stdin(cli: Run, tmp_path: Path) -> None:
    """Options override the file."""
    file = tmp_path / "user.json"
    file.write_text(json.dumps({"email": "ada@example.com", "name": "Ada"}))

    assert cli("users", "create", "--input", str(file), "--name", "Grace", "--json", "name").json == {"name": "Grace"}
    body = json.dumps({"email": "x@example.com", "name": "X"})
    assert cli("users", "create", "--input", "-", "--json", "email", stdin=body).json == {"email": "x@example.com"}


def test_a_body_of_a_windows_program_is_read(cli: Run, tmp_path: Path) -> None:
    """A byte order mark at the start, carriage returns at the ends of lines."""
    body = b'\xef\xbb\xbf{"email": "ada@example.com",\r\n "name": "J\xc3\xbcrgen"}\r\n'
    file = tmp_path / "user.json"
    file.write_bytes(body)

    assert cli("users", "create", "--input", str(file), "--json", "name").json == {"name": "Jürgen"}
    body = body.replace(b"ada", b"grace")
    assert cli("users", "create", "--input", "-", "--json", "name", stdin=body).json == {"name": "Jürgen"}


def test_the_same_idempotency_key_creates_once(cli: Run) -> None:
    """A script that runs twice creates nothing twice."""
    line = ("users", "create", "--email", "ada@example.com", "--name", "Ada", "--idempotency-key", "k1", "--json", "id")

    assert cli(*line).out == cli(*line).out


def test_a_dry_run_sends_nothing(cli: Run, redcore_lab: Lab) -> None:
    """It prints method, path and body."""
    shown = cli("users", "create", "--email", "a@example.com", "--name", "A", "--dry-run", "--output", "json").json

    assert shown == {"method": "POST", "path": "/v1/users", "body": {"email": "a@example.com", "name": "A"}}
    assert redcore_lab.requests() == []


def test_a_secret_is_shown_once_with_a_note(cli: Run) -> None:
    """The key is on stdout, the advice on stderr."""
    made = cli(
        "api-keys", "create", "--name", "ci", "--scopes", "users:read", "--scopes", "files:read", "--output", "json"
    )

    assert made.json["scopes"] == ["files:read", "users:read"]
    assert "keep it now" in made.err


def test_a_limit_beyond_any_count_is_all(cli: Run) -> None:
    """A number larger than the listing is not an error."""
    outcome = cli("users", "list", "--limit", "9" * 30, "--json", "id")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["usrs", "list"], "Did you mean users"),
        (["users", "lst"], "Did you mean list"),
        (["users", "create", "--name", "Ada"], "Missing --email"),
        (["users", "list", "--role", "boss"], "'admin', 'editor', 'viewer'"),
        (["users", "get", "prod_1"], "begins with usr_; prod_… is the id of something else"),
        (["users", "list", "--json", "emial"], "There is no field 'emial'"),
        (["users", "list", "--jq", ".["], "--jq"),
        (["users", "create", "--input", "/nowhere"], "cannot be read"),
        (["users", "create", "--input", "-"], "stdin is not JSON"),
        (["users", "create", "--input", "-", "--email", "x"], "stdin is not JSON"),
        (["users", "delete", "usr_1"], "add --yes"),
        (["users", "list", "--lmit", "1"], "--limit"),
        (["users", "list", "--timeout", "soon"], "timeout must be a number"),
        (["users", "list", "--limit", "1", "--all"], "Give either --limit or --all"),
        (["users", "list", "--json", " , "], "--json takes the names of fields"),
        (["products", "create", "--name", "A", "--sku", "A", "--price", "1", "--idempotency-key", ""], "visible ASCII"),
        (["files", "upload", "-", "--idempotency-key", ""], "visible ASCII"),
        (["files", "upload", "--recursive", ""], "'' is empty"),
        (["files", "upload", "-", "--name", ""], "'' is empty"),
        (["files", "download", "file_1", "--to", " "], "' ' is empty"),
        (["auth", "login", "--device", "--client-id", "app_1", "--scope", ""], "'' is empty"),
        (["api", "POST", "/products", "--idempotency-key", ""], "visible ASCII"),
        (["users", "list", "--q", "\udcff"], "q is not valid Unicode"),
        (["users", "create", "--email", "a@example.com", "--name", "\udcff"], "cannot be sent as JSON"),
        (["api", "/users", "-f", "offset=x", "--paginate"], "offset must be a whole number"),
        (["files", "upload", "-", "-"], "- can be given once"),
        (
            ["files", "upload", "/etc/passwd", "/etc/hosts", "--name", "a"],
            "--name and --idempotency-key are",
        ),
        (["files", "download", "file_1", "file_2", "--to", "/etc/passwd"], "--to must be a folder that is there"),
        (["products", "export", "--to", "/etc/passwd"], "/etc/passwd is there already; --force writes over it"),
        (["config", "set", "timeout"], "Give either a VALUE or --unset"),
        (["config", "set", "timeout", "5", "--unset"], "Give either a VALUE or --unset"),
        (["users", "create", "--input", "/bin/sh"], "/bin/sh is not text in UTF-8"),
        (["api-keys", "create", "--name", "a", "--expires-at", "soon"], "'soon' is not a time such as 2027-01-31T12"),
        (["config", "set", "timeout", "soon"], "timeout must be a number of seconds above 0"),
        (["config", "set", "timeout", "nan"], "timeout must be a number of seconds above 0"),
        (["config", "set", "max_retries", "1.5"], "max_retries must be a whole number"),
        (["config", "set", "environment", "moon"], "environment must be one of production, staging"),
        (["config", "set", "output", "xml"], "output must be one of table, json, jsonl, csv"),
        (["config", "set", "base_url", "api.example.com"], "base_url must begin with https://"),
        (["config", "set", "base_url", "http://[::1"], "base_url is not a URL"),
        (["config", "set", "base_url", "https://127.0.0.1:0"], "base_url is not a URL"),
        (["config", "set", "base_url", "http://example.com/v1"], "base_url must use https"),
        (["config", "set", "base_url", "https://u:p@example.com"], "must not hold a user name or password"),
        (["config", "set", "auth_url", "https://example.com/v1"], "auth_url must be an origin"),
        (["config", "set", "client_id", "\udcff"], "not valid text in UTF-8"),
    ],
)
def test_bad_input_is_a_usage_error_with_its_own_sentence(cli: Run, words: list[str], expected: str) -> None:
    """Exit code 2, nothing on stdout, no traceback."""
    outcome = cli(*words, stdin="{")

    assert (outcome.code, outcome.out) == (2, "")
    assert expected in " ".join(outcome.err.split())


@pytest.mark.parametrize(
    ("status", "code"), [(400, 1), (401, 4), (403, 4), (404, 3), (409, 1), (422, 1), (429, 5), (500, 5), (503, 5)]
)
def test_the_exit_code_tells_the_kind_of_failure(
    cli: Run, redcore_lab: Lab, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    """Contract section 9; the request id is on stderr."""
    monkeypatch.setenv("REDCORE_MAX_RETRIES", "0")
    redcore_lab.inject("GET", "/v1/me", [Fault(status=status, retry_after=700)])
    outcome = cli("me", "get")

    assert (outcome.code, outcome.out) == (code, "")
    assert "request " in outcome.err


def test_a_missing_scope_is_named_with_how_to_get_it(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 403 names the scope, and the command that makes a key with it."""
    key = cli("api-keys", "create", "--name", "reader", "--scopes", "users:read", "--json", "key").json["key"]
    monkeypatch.setenv("REDCORE_API_KEY", key)
    outcome = cli("products", "list")

    assert outcome.code == 4
    assert "products:read" in outcome.err
    assert key not in outcome.err


def test_debug_shows_attempts_and_no_secret(cli: Run, redcore_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request, the outcome, the request id; never the key."""
    outcome = cli("me", "get", "--debug")

    assert "> GET http://127.0.0.1" in outcome.err
    assert "< 200 users_get_me" in outcome.err
    assert "rk_test_" not in outcome.err + outcome.out


def test_without_a_login_the_error_says_how_to_log_in(run_cli: Run) -> None:
    """Exit code 4."""
    outcome = run_cli("users", "list")

    assert outcome.code == 4
    assert "redcore auth login" in outcome.err


def test_all_pages_of_a_listing_are_fetched_by_path(cli: Run) -> None:
    """`api --paginate` is a GET, also with fields, and ends with the last item."""
    for number in range(3):
        create(cli, f"u{number}@example.com")
    outcome = cli("api", "/users", "--paginate", "-f", "role=viewer", "-f", "limit=1", "--jq", ".[].email")

    assert outcome.out.split() == ["u2@example.com", "u1@example.com", "u0@example.com"]


@pytest.mark.parametrize(
    ("words", "code"), [(["users", "get", "usr_\x1b]0;x\x07"], 3), (["users", "list", "\x1b[2J"], 2), (["\x1b[2J"], 2)]
)
def test_control_characters_in_a_message_do_not_reach_the_terminal(cli: Run, words: list[str], code: int) -> None:
    """Text from the user or the platform cannot move the cursor or change the title of a window."""
    outcome = cli(*words)

    assert outcome.code == code
    assert "\x1b" not in outcome.err


def test_a_missing_scope_is_named_by_every_command(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only the platform knows which one it is, with how to get it."""
    key = cli("api-keys", "create", "--name", "reader", "--scopes", "users:read", "--json", "key").json["key"]
    monkeypatch.setenv("REDCORE_API_KEY", key)

    for words, scope in ((("api", "/products"), "products:read"), (("products", "export"), "workflows:write")):
        outcome = cli(*words)
        assert (outcome.code, f"--scopes {scope}" in outcome.err) == (4, True)


def test_an_input_that_is_not_an_object_is_refused(cli: Run) -> None:
    """With the fields that it could have."""
    outcome = cli("users", "create", "--input", "-", stdin='["ada@example.com"]')

    assert (outcome.code, outcome.out) == (2, "")
    assert "--input must hold a JSON object with some of email, name, role" in outcome.err


def test_an_argument_that_is_not_text_is_a_usage_error(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK finds it if the command line has not checked it."""

    def unsendable(*_: object, **__: object) -> None:
        "\udcff".encode()

    monkeypatch.setattr("redcore.cli.state.State.client", unsendable)
    outcome = cli("me", "get")

    assert (outcome.code, outcome.err) == (2, "redcore: an argument is not valid text in UTF-8\n")


def test_a_defect_has_a_traceback(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of the defect needs it."""

    def defect(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("redcore.cli.state.State.client", defect)

    with pytest.raises(ZeroDivisionError):
        cli("me", "get")


def test_an_unknown_field_of_the_input_is_named(cli: Run) -> None:
    """With the known fields."""
    outcome = cli("users", "create", "--input", "-", stdin='{"email": "a@example.com", "nmae": "Ada"}')

    assert "unknown field, 'nmae'; known: email, name, role" in outcome.err
