"""The workflows that can be run: the input and the work of each.

The API shows them and queues runs; `redcore_server.worker.workflows` runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from redcore_server.workflows import catalog_export, catalog_import, docs_publish, user_import
from redcore_server.workflows.definition import Definition

WORKFLOWS: Final[Mapping[str, Definition]] = {
    definition.name: definition
    for definition in (
        catalog_export.DEFINITION,
        catalog_import.DEFINITION,
        user_import.DEFINITION,
        docs_publish.DEFINITION,
    )
}
"""Definitions by name."""
