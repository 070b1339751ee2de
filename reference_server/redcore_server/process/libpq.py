"""What libpq reads from the environment: kept from an embedded PostgreSQL, and from changing what we rely on."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_OVERRULED = ("PGCLIENTENCODING", "PGOPTIONS", "PGTZ", "PGGEQO")


def isolate(*, is_embedded: bool, environ: MutableMapping[str, str] = os.environ) -> None:
    """Prepare the environment before the first connection.

    Args:
        is_embedded: Whether PostgreSQL is our own: nothing that is set for another one is about it. For an external
            one, passwords, certificates and the like may come from the environment.
        environ: Of this process.
    """
    for name in [name for name in environ if name.startswith("PG")]:
        if is_embedded or name in _OVERRULED:
            del environ[name]
    # Stronger than the settings of a database or a role: psycopg reads times in this form alone.
    environ["PGDATESTYLE"] = "ISO"
