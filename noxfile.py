"""All checks of the project: `nox -l` lists them, `nox -s NAME` runs one, each in an environment from PyPI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests", "lint", "types", "drift", "docs", "package"]

SPEC = "openapi/redcore.yaml"
SPECTRAL = "@stoplight/spectral-cli@6"
REDOCLY = "@redocly/cli@2"
PAGES = ("docs", "docs/_build/html")
PROSE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "examples", "changelog.d", "src", "reference_server")
COVERED_EACH = 95.0
COVERED_IN_ALL = 97.0  # of src/redcore; the rest is for platforms that CI lacks
PYPROJECT = nox.project.load_toml("pyproject.toml")


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


def npm(session: nox.Session, folder: str) -> str:
    """Install from npm what a folder's lock file names; return the place. Needs the group `npm`."""
    target = Path(session.create_tmp()).resolve() / "npm"
    target.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(folder) / name, target)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    session.run(str(Path(session.bin) / "npm"), "ci", *quiet, f"--prefix={target}")
    return str(target)


@nox.session
def demo(session: nox.Session) -> None:
    """Start a reference server and take the tour through it with the SDK."""
    session.install(".[server,testing]")
    session.run("python", "examples/tour.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests that need no browser, on the built and installed wheel."""
    session.install(".[server,testing,cli,mcp]", *group("test"), *group("generate"))
    # Most tests wait for servers, so four at a time keep two processors busy; those of a file share what they start.
    # The order is that of tests/conftest.py.
    four = ["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
    session.run("pytest", *four, "--ignore=tests/browser", "-m", "not npm and not long", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure the coverage of the tests, forks and child processes counted; print the modules with too little."""
    session.install("-e", ".[server,testing,cli,mcp]", *group("test"), *group("generate"))
    # Not in `create_tmp`, which would bring all temporary files into the repository, where pytest finds its settings.
    report = Path(session.virtualenv.location).resolve() / "coverage.json"
    session.run("coverage", "erase")
    chosen = ["-n", "2", "--dist", "loadfile", "--ignore=tests/browser", "-m", "not npm and not long"]
    session.run("coverage", "run", "-m", "pytest", *chosen, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "json", "--quiet", "-o", str(report))
    for name, percent in below(report, COVERED_EACH):
        session.log(f"{percent:5.1f} %  {name}")
    session.run("coverage", "report", "--include=src/redcore/*", "--skip-covered", f"--fail-under={COVERED_IN_ALL}")


def below(report: Path, least: float) -> list[tuple[str, float]]:
    """Return the files of a coverage report with less branch coverage in percent, the lowest first."""
    files = json.loads(report.read_text())["files"]
    found = [(name, measured["summary"]["percent_covered"]) for name, measured in files.items()]
    return sorted((pair for pair in found if pair[1] < least), key=lambda pair: pair[1])


@nox.session
def versions(session: nox.Session) -> None:
    """Run the core, client and property tiers on every supported Python of this machine, and name those it lacks.

    Other tests are named behind `--`: `-- tests/core/test_retry.py`.
    """
    found = {version: interpreter(version) for version in nox.project.python_versions(PYPROJECT)}
    for version, python in found.items():
        if python is None:
            session.warn(f"Python {version} is not on this machine: not tested")
            continue
        folder = str(Path(session.create_tmp()).resolve() / version)
        session.run(sys.executable, "-m", "virtualenv", "--quiet", "--python", python, folder, external=True)
        inside = str(Path(folder) / "bin" / "python")
        wanted = [".[server,testing]", *group("test"), *group("generate")]
        session.run(inside, "-m", "pip", "install", "--quiet", *wanted, external=True)
        tiers = session.posargs or ["tests/core", "tests/client", "tests/property"]
        both = ["-n", "2", "--dist", "loadfile", "-m", "not npm and not long"]
        session.run(inside, "-m", "pytest", *both, *tiers, external=True)


def interpreter(version: str) -> str | None:
    """Return where a version of Python is, on the path or under pyenv; None if it is missing."""
    under_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [
        shutil.which(f"python{version}"),
        *map(str, sorted(under_pyenv.glob(f"{version}.*/bin/python"), reverse=True)),
    ]
    for candidate in filter(None, candidates):
        with suppress(OSError, subprocess.SubprocessError):  # such as a shim of pyenv whose version is not chosen
            asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            answer = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30)  # noqa: S603 (ours)
            if answer.stdout.strip() == version:
                return candidate
    return None


@nox.session
def transports(session: nox.Session) -> None:
    """Run the client tests on each transport; in the other sessions only those that concern transports do."""
    session.install(".[server,testing]", *group("test"), *group("generate"))
    both = ["-n", "2", "--dist", "loadfile", "-m", "not npm and not long"]
    session.run("pytest", "tests/client", *both, *session.posargs, env={"REDCORE_TEST_EVERY_TRANSPORT": "1"})


@nox.session
def contract(session: nox.Session) -> None:
    """Run only the contract tests: SDK and wire, checked by a validator and by third-party clients."""
    session.install(".[server,testing]", *group("test"), *group("npm"), *group("generators"))
    packages = npm(session, "tests/contract/node")
    session.run("pytest", "tests/contract", *session.posargs, env={"REDCORE_TEST_NPM": packages})


@nox.session
def browser(session: nox.Session) -> None:
    """Drive the pages in the system's Chromium, check them with axe-core, and keep screenshots."""
    session.install(".[server,testing,cli]", *group("test"), *group("browser"), *group("npm"), *group("docs"))
    packages = npm(session, "tests/browser")
    site = str(Path(session.create_tmp()).resolve() / "site")
    session.run("sphinx-build", "-q", "-E", "-j", "auto", "-b", "html", "-d", f"{site}.doctrees", "docs", site)
    screenshots = str(Path(session.create_tmp()).resolve() / "screenshots")
    environment = {
        "REDCORE_TEST_NPM": packages,
        "REDCORE_TEST_SCREENSHOTS": screenshots,
        "REDCORE_TEST_SITE": site,
    }
    session.run("pytest", "tests/browser", *session.posargs, env=environment)
    session.log(f"screenshots: {screenshots}")


@nox.session
def topology(session: nox.Session) -> None:
    """Run the deployment of two zones, apply faults, print what they cost; `-- smoke` for the few that CI runs.

    Needs HAProxy and etcd of the system, `apt-get install haproxy etcd-server`, and root to cut off a zone.
    """
    session.install(
        "-e", ".[server,testing]", *group("topology")
    )  # editable: it runs the files of reference_server/deploy
    session.run("python", "-m", "tests.topology", *session.posargs)


@nox.session
def deploy(session: nox.Session) -> None:
    """Check the files of reference_server/deploy/ with Helm, Kubernetes' schemas, HAProxy, Patroni, dclint and checkov.

    Needs HAProxy of the system: `apt-get install haproxy`.
    """
    session.install(*group("topology"), *group("npm"), *group("deploy"))
    session.run("python", "tests/deploy/check_deploy.py")


@nox.session
def backup(session: nox.Session) -> None:
    """Back up a PostgreSQL and restore it to a moment, with the files of reference_server/deploy/postgres.

    Needs root, and `apt-get install haproxy etcd-server postgresql pgbackrest`.
    """
    session.install("-e", ".[server,testing]", *group("topology"))
    session.run("python", "-m", "tests.deploy.check_backup")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure calls, reading, imports and paging beside the peers, in the table of docs/benchmarks.md."""
    session.install(".[aiohttp]", *group("bench"))
    session.run("python", "benchmarks/table.py", *session.posargs)


@nox.session(name="bench-auth")
def bench_auth(session: nox.Session) -> None:
    """Measure tokens and introspections a second against an endpoint that only signs."""
    session.install(".[server,testing]")
    session.run("python", "benchmarks/auth.py", *session.posargs)


@nox.session(name="bench-api")
def bench_api(session: nox.Session) -> None:
    """Measure reads of a user a second against a handler that only runs the same SQL."""
    session.install(".[server,testing]")
    session.run("python", "benchmarks/users.py", *session.posargs)


@nox.session(name="bench-growth")
def bench_growth(session: nox.Session) -> None:
    """Measure what a listing costs as it grows: pages at depth, walks, short searches; takes minutes."""
    session.install(".[server,testing]")
    session.run("python", "benchmarks/growth.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and the spec (three linters, two of them from npm); tests check the direction of imports."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("openapi-spec-validator", SPEC)
    npx = [str(Path(session.bin) / "npx"), "--yes", "--loglevel=error"]
    session.run(*npx, SPECTRAL, "lint", "--ruleset=openapi/spectral.yaml", "--fail-severity=warn", SPEC)
    session.run(*npx, REDOCLY, "lint", "--config=openapi/redocly.yaml", SPEC, env={"REDOCLY_TELEMETRY": "off"})


@nox.session
def types(session: nox.Session) -> None:
    """Check types as strictly as users' tools may."""
    session.install(
        ".[server,testing,cli,mcp]", *group("types"), *group("test"), *group("browser"), *group("generate"), "nox"
    )
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--project", "tests/typing")  # where it must see what mypy sees, without mypy's comments
    session.run("pyrefly", "check", "tests/typing/application.py")
    session.run("pyright", "--verifytypes", "redcore", "--ignoreexternal")


@nox.session
def generate(session: nox.Session) -> None:
    """Render the generated files of src/redcore/ from the spec."""
    session.install(*group("generate"))
    session.run("python", "openapi/generate.py")


@nox.session
def drift(session: nox.Session) -> None:
    """Fail if the generated files differ, byte for byte, from what the spec gives."""
    session.install(*group("generate"))
    session.run("python", "openapi/generate.py", "--check")


@nox.session
def docs(session: nox.Session) -> None:
    """Check the spelling and build the documentation; a warning and a broken internal link are errors."""
    session.install(".[server,testing,cli]", *group("docs"))
    session.run("codespell", *PROSE)
    session.run(
        "sphinx-build", "-n", "-W", "--keep-going", "-j", "auto", "-b", "html", "-d", "docs/_build/doctrees", *PAGES
    )


@nox.session
def package(session: nox.Session) -> None:
    """Build the wheel; check it bare, where each missing extra is named, and with the extra `all`."""
    shutil.rmtree("dist", ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build")
    (wheel,) = Path("dist").glob("*.whl")
    session.run("python", "-m", "zipfile", "-t", str(wheel), silent=True)
    bare = session.create_tmp()
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", bare, external=True)  # nox installs it
    python = str(Path(bare) / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    session.run(python, "tests/package/check_bare_install.py", str(wheel), external=True)
    session.run(python, "-m", "pip", "install", "--quiet", f"{wheel}[all]", external=True)
    session.run(python, "tests/package/check_all_extras.py", external=True)
