"""Real Redis for the tests of caches: one server, and one cluster, for the length of a test session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from redcore_server.data_folder import DataFolder
from redcore_server.embedded import EmbeddedServers


@contextlib.contextmanager
def server_in(folder: Path) -> Iterator[str]:
    """Run a server whose files are in a folder, and return its URL with the password."""
    with contextlib.closing(DataFolder(folder)) as data, EmbeddedServers(data, postgres=False) as servers:
        url = servers.ready().redis_url
        assert url is not None
        yield url
