"""The gateway: the single entry point of the platform."""

from __future__ import annotations

from redcore_server.gateway.app import build

__all__ = ["build"]
