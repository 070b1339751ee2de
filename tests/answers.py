"""What the platform answers: a user, and what is said about the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USER: Mapping[str, Any] = {
    "id": "usr_1",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "role": "editor",
    "status": "active",
    "invitation_sent_at": None,
    "created_at": "2026-01-15T10:00:00Z",
    "updated_at": "2026-01-16T08:30:00Z",
}
META: Mapping[str, Any] = {"request_id": "req_1", "version": "1.2.0"}
