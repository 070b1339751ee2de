"""Shares of the database connections: no organisation keeps the others waiting for one.

Connections are lent in the order in which they are asked for. Without shares, the requests of one organisation that are
slow to answer would be at the head of that queue all the time.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Shares:
    """How many requests of each organisation are worked on at once; further ones wait, in order."""

    def __init__(self, connections: int) -> None:
        """Start without requests.

        Args:
            connections: Connections that all organisations share; each may use half of them.
        """
        self._most = max(1, connections // 2)
        self._of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, organisation_id: str) -> asyncio.Semaphore:
        """Return the share of an organisation, to be held while a request is worked on.

        Args:
            organisation_id: Id of the organisation.
        """
        share = self._of.get(organisation_id)
        if share is None:
            share = self._of[organisation_id] = asyncio.Semaphore(self._most)
        return share
