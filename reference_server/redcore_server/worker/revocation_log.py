"""The job that writes a revocation to the log outside the database."""

from __future__ import annotations

from datetime import datetime

import attrs

from redcore_server.store.objects import Objects
from redcore_server.store.revocation_log import Kind, Revocation, append


@attrs.frozen
class RevocationLogger:
    """Writes revocations to the object store.

    Attributes:
        objects: Object store with the log.
    """

    objects: Objects

    async def log(self, kind: Kind, ids: list[str], at: str) -> None:
        """Run the job of `redcore_server.store.revocation_log.defer_record`."""
        await append(self.objects, Revocation(kind, tuple(ids), datetime.fromisoformat(at)))
