"""The folders of the reference server: few at each level, and no import cycle among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.imports import Package, entries, folder_of

import redcore_server

SOURCE = Path(redcore_server.__file__).parent
SERVER = Package(SOURCE)


@pytest.mark.parametrize(("folder", "most"), [(".", 24), ("auth", 14)])
def test_a_folder_has_few_entries(folder: str, most: int) -> None:
    """The entries of one level can be kept in mind."""
    assert len(entries(SOURCE / folder)) <= most


def test_folders_import_one_way() -> None:
    """The folders of the server have an order in which each comes after those that it imports."""
    assert SERVER.circle(folder_of) == []


def test_folders_of_the_auth_service_import_one_way() -> None:
    """So have those of its largest part."""
    auth = {module for module in SERVER.modules if module.startswith("auth.")}

    assert SERVER.circle(lambda module: module.split(".")[1], among=auth) == []
