"""The loopback server, its certificate, and the colours."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.client.colours import COLOURS, LOOPS, OWN_TRANSPORTS, Awaiting, Blocking, Colour, colours_over
from tests.client.loopback import Loopback, pair
from tests.client.redis_servers import server_in
from tests.server.support.redis_cluster import cluster_in

from redcore import login
from redcore.testing import FakeTime


@pytest.fixture(scope="session")
def portals() -> Iterator[dict[str, BlockingPortal]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(start_blocking_portal(*kind)) for name, kind in LOOPS.items()}


EVERY_TRANSPORT = "REDCORE_TEST_EVERY_TRANSPORT" in os.environ  # set by `nox -s transports`


colour = colours_over(OWN_TRANSPORTS if EVERY_TRANSPORT else COLOURS)
"""A colour and what it sends over; files that test transports override this fixture with all of them."""


@pytest.fixture
def call(colour: tuple[str, str | None], portals: dict[str, BlockingPortal]) -> Iterator[Colour]:
    name, over = colour
    made = Blocking(over) if name == "sync" else Awaiting(name, portals[name], over)
    yield made
    made.end()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """The path of a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        yield tmp_path / "socket"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "loopback.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def make(call: Colour, server: Loopback) -> Iterator[Any]:
    """Make a client of the server, with these options; it is closed after the test."""
    made: list[Any] = []

    def make(**options: Any) -> Any:
        made.append(call.client(**{"base_url": server.base_url, **options}))
        return made[-1]

    yield make
    for client in made:
        call.close(client)


@pytest.fixture
def log_in(call: Colour) -> Callable[..., Any]:
    """Call a function of redcore.login in a colour."""

    def function(name: str, *args: Any, **options: Any) -> Any:
        return call(getattr(login, name if call.name == "sync" else f"{name}_async"), *args, **options)

    return function


@pytest.fixture
def login_options(server: Loopback) -> dict[str, Any]:
    """What a login in the browser needs; the server exchanges its code."""
    server.script(pair(1, scope="users:read"))
    return {"base_url": server.base_url, "client_id": "app_1", "deadline": 10.0}


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let SIGINT interrupt, also where the tests run in the background and inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def slept(redcore_time: FakeTime) -> list[float]:
    """The waits of the clients, which end at once."""
    return redcore_time.slept


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_in(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster_in(tmp_path_factory.mktemp("cluster")) as url:
        yield url.replace("://", "://127.0.0.1:9,")  # the first node is down: nothing listens on that port
