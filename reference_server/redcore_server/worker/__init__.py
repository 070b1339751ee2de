"""The worker: runs jobs that were written in the transaction of their cause; they survive a killed process."""

from __future__ import annotations

from redcore_server.invitations.job import defer_invitation
from redcore_server.worker.objects import defer_object_deletion
from redcore_server.worker.revocations import defer_revocation
from redcore_server.worker.runner import Worker
from redcore_server.worker.thread import WorkerThread
from redcore_server.worker.workers import Workers
from redcore_server.worker.workflows import defer_run

__all__ = [
    "Worker",
    "WorkerThread",
    "Workers",
    "defer_invitation",
    "defer_object_deletion",
    "defer_revocation",
    "defer_run",
]
