"""pytest fixtures, available when `redcore-sdk[testing]` is installed: a platform for each test.

`--redcore=fake` (the default) is the platform in process, `--redcore=server` a reference server for the session, and
`--redcore=http://127.0.0.1:4010` one that runs already, in test mode, with the variables of its credentials set. A test
chooses for itself by `@pytest.mark.redcore("server")`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # pytest loads this module in every run; the SDK only when a fixture is asked for
    from redcore import AsyncClient, Client
    from redcore.testing._fake.blueround import FakeBlueRound
    from redcore.testing.fake_time import FakeTime
    from redcore.testing.lab import Fault, Lab, Mail
    from redcore.testing.server import ReferenceServer

NO_NETWORK = "redcore_no_network"
RUN = "redcore_run"
RUN_KEY = pytest.StashKey[Path]()
CONTROLLER_KEY = pytest.StashKey[int]()


class Plain(MetaPathFinder):
    """Imports the SDK without pytest's rewriting of assertions.

    pytest rewrites every module of a distribution that has a plugin, so it would compile the whole SDK: in the first
    run, and in every run that must not write `.pyc` files.
    """

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of the SDK or the server as Python does."""
        is_ours = name.partition(".")[0] in {"redcore", "redcore_server"}
        return PathFinder.find_spec(name, path, target) if is_ours else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """The choice of the platform, and the guard."""
    choice = "the platform of the fixtures of redcore.testing: fake (default), server, or the URL of a running server"
    parser.getgroup("redcore").addoption("--redcore", default="fake", metavar="fake|server|URL", help=choice)
    guard = "refuse calls of RedCore clients to BlueRound's own addresses"
    parser.addini(NO_NETWORK, guard, type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Import the SDK plainly, also where a conftest.py imports it."""
    plain = Plain()
    sys.meta_path.insert(0, plain)
    early_config.add_cleanup(lambda: sys.meta_path.remove(plain))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; put up the guard."""
    config.addinivalue_line(
        "markers", "redcore(platform): what the fixtures of redcore.testing use: fake, server or a URL"
    )
    known_platform(str(config.getoption("--redcore")))
    config.stash[CONTROLLER_KEY] = os.getppid()  # of a worker, now that it certainly lives
    if config.getini(NO_NETWORK):
        config.pluginmanager.register(Guard(), "redcore-guard")


def known_platform(name: str) -> str:
    """Refuse the name of a platform that there is not.

    Raises:
        pytest.UsageError: it is misspelt.
    """
    if name not in {"fake", "server"} and "://" not in name:
        raise pytest.UsageError(
            f"redcore: there is no platform {name!r}; give fake, server, or the URL of one, as http://127.0.0.1:4010"
        )
    return name


class Guard:
    """Refuses calls to production and staging while tests run."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        """Stand in the way of every client, behind a fake if there is one."""
        from redcore.testing.guard import no_network  # noqa: PLC0415 (as above)

        with no_network():
            return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Name the folder of the run to a worker of pytest-xdist; the first one that needs a server creates it."""
    node.workerinput[RUN] = str(run_of(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that the workers of this run have shared."""
    run = config.stash.get(RUN_KEY, None)
    if run is not None and run.exists():
        from redcore.testing.sharing import end  # noqa: PLC0415 (as above)

        end(run)


def run_of(config: pytest.Config) -> Path:
    """The folder of a parallel run."""
    return config.stash.setdefault(RUN_KEY, Path(tempfile.gettempdir(), f"redcore-server-{uuid.uuid4().hex}"))


@pytest.fixture(scope="session")
def redcore_server(request: pytest.FixtureRequest) -> Iterator[ReferenceServer]:
    """A reference server in test mode, for the whole session; workers of pytest-xdist share one."""
    run = getattr(request.config, "workerinput", {}).get(RUN)
    if run is not None:
        from redcore.testing.sharing import join  # noqa: PLC0415 (as above)

        yield join(Path(run), request.config.stash[CONTROLLER_KEY])
        return
    from redcore.testing.server import ReferenceServer  # noqa: PLC0415 (as above)

    with ReferenceServer() as server:
        yield server


@pytest.fixture
def redcore_fake() -> Iterator[FakeBlueRound]:
    """A platform in process; every client of the test talks to it. Scripts that were not used fail the test."""
    from redcore.testing._fake.blueround import FakeBlueRound  # noqa: PLC0415 (as above)

    with FakeBlueRound() as fake:
        yield fake
        fake.assert_all_used()


@pytest.fixture
def redcore_platform(request: pytest.FixtureRequest) -> Any:
    """What the test asks for by name or by its marker, else what `--redcore` says.

    Returns:
        A `FakeBlueRound`, a `ReferenceServer` or a `RunningServer`.
    """
    asked_for = [name for name in ("fake", "server") if f"redcore_{name}" in request.fixturenames]
    node: Any = request.node
    marker: pytest.Mark | None = node.get_closest_marker("redcore")
    chosen = known_platform(str(marker.args[0] if marker else (*asked_for, request.config.getoption("--redcore"))[0]))
    if chosen in {"fake", "server"}:
        return request.getfixturevalue(f"redcore_{chosen}")
    from redcore.testing.running import RunningServer  # noqa: PLC0415 (as above)

    return RunningServer(chosen)


@pytest.fixture
def redcore_lab(redcore_platform: Any) -> Iterator[Lab]:
    """Its laboratory, on fresh data. Faults that no request has met fail the test."""
    lab: Lab = redcore_platform.lab
    lab.reset()
    yield lab
    try:
        lab.assert_all_used()
    except AssertionError:
        lab.clear_faults()  # or `redcore_fake` would report them a second time
        raise


@pytest.fixture
def redcore_client(redcore_platform: Any, redcore_lab: Lab) -> Iterator[Client]:  # noqa: ARG001 (fresh data)
    """A client with a key that may do everything, on fresh data."""
    from redcore import Client  # noqa: PLC0415 (as above)

    with Client(**redcore_platform.arguments) as client:
        yield client


@pytest.fixture
def redcore_async_client(redcore_platform: Any, redcore_lab: Lab) -> AsyncClient:  # noqa: ARG001 (as above)
    """As `redcore_client`, awaited; opened and closed by the test: `async with redcore_async_client as client`."""
    from redcore import AsyncClient  # noqa: PLC0415 (as above)

    return AsyncClient(**redcore_platform.arguments)


@pytest.fixture
def redcore_faults(redcore_lab: Lab) -> Callable[..., None]:
    """Lets the next matching requests fail: `redcore_faults("GET", "/v1/users/*", Fault(status=503))`."""

    def inject(method: str | None, path: str, *faults: Fault) -> None:
        redcore_lab.inject(method, path, faults)

    return inject


@pytest.fixture
def redcore_clock(redcore_lab: Lab) -> Callable[[float], None]:
    """Moves the platform's clock ahead by seconds: `redcore_clock(3601)`."""
    return redcore_lab.advance_clock


@pytest.fixture
def redcore_time() -> Iterator[FakeTime]:
    """Waits of the clients are over at once, and noted in `redcore_time.slept`; without jitter."""
    from redcore.testing.fake_time import FakeTime  # noqa: PLC0415 (as above)

    with FakeTime() as time:
        yield time


@pytest.fixture
def redcore_outbox(redcore_lab: Lab) -> Callable[[], list[Mail]]:
    """The mails that the platform has sent: `redcore_outbox()`."""
    return redcore_lab.outbox
