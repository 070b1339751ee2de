"""The worker: runs jobs that were written in the transaction of their cause; they survive a killed process."""

from __future__ import annotations

from redcore_server.worker.runner import Worker
from redcore_server.worker.thread import WorkerThread
from redcore_server.worker.workers import Workers

__all__ = ["Worker", "WorkerThread", "Workers"]
