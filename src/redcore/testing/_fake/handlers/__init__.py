"""What each operation of the spec does to the fake's state; the contract tests hold it against the real server."""

from __future__ import annotations

from collections.abc import Mapping

from redcore.testing._fake.call import Handler
from redcore.testing._fake.handlers import api_keys, applications, files, products, users, workflows

HANDLERS: Mapping[str, Handler] = {
    **users.HANDLERS,
    **products.HANDLERS,
    **workflows.HANDLERS,
    **files.HANDLERS,
    **api_keys.HANDLERS,
    **applications.HANDLERS,
}
"""By the id of the operation."""
