"""The libpq environment variables: hidden from an embedded PostgreSQL, and kept from changing what we rely on."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_OVERRULED = ("PGCLIENTENCODING", "PGOPTIONS", "PGTZ", "PGGEQO")


def isolate(*, is_embedded: bool, environ: MutableMapping[str, str] = os.environ) -> None:
    """Prepare the environment before the first connection.

    Args:
        is_embedded: Whether PostgreSQL is embedded; variables for another server are then removed. For an external
            server, passwords, certificates and similar options may come from the environment.
        environ: Environment of this process.
    """
    for name in [name for name in environ if name.startswith("PG")]:
        if is_embedded or name in _OVERRULED:
            del environ[name]
    # Overrides the settings of a database or role: psycopg parses times in this format only.
    environ["PGDATESTYLE"] = "ISO"
