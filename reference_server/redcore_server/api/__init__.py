"""The BlueRound API: users and the catalog, one handler per operation of the contract."""

from __future__ import annotations

from redcore_server.api.app import build

__all__ = ["build"]
