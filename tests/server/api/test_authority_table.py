"""The table of contract section 5, generated from the spec: which scope and which role opens which operation."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from tests.server.support.callers import Callers
from tests.server.support.operations import API, CONTRACT, call
from tests.server.support.people import make_person
from tests.server.support.tenants import Organisation

from redcore_server.clock import Clock

pytestmark = pytest.mark.anyio

SCOPES = sorted(CONTRACT.scopes)
ROLES = ("viewer", "editor", "admin")
EDITORS_LACK = {"admin", "users:write"}


def opens(role: str, scope: str) -> bool:
    """Return whether a role has a scope, as ADR 11 says."""
    if role == "admin":
        return True
    if role == "editor":
        return scope not in EDITORS_LACK
    return scope.endswith(":read") or scope == "profile:write"


async def opened(caller: httpx.AsyncClient) -> list[str]:
    """Return the operations that a caller is not refused for its scopes; a 404 counts as opened."""
    answers = [(operation.id, await call(caller, operation)) for operation in API]
    assert all(answer.status_code != 429 for _, answer in answers)
    return [name for name, answer in answers if answer.status_code != 403]


def expected(scopes: Sequence[str]) -> list[str]:
    return [operation.id for operation in API if operation.scope in scopes or "admin" in scopes]


@pytest.mark.parametrize("scope", SCOPES)
async def test_scope_by_operation(callers: Callers, organisation: Organisation, clock: Clock, scope: str) -> None:
    """A key with one scope opens the operations that name it; `admin` opens all."""
    person = await make_person(callers.stores, clock, organisation, "admin")  # who may be changed by its own calls
    assert await opened(await callers.of(person, scope)) == expected([scope])


@pytest.mark.parametrize("role", ROLES)
async def test_role_by_operation(callers: Callers, organisation: Organisation, clock: Clock, role: str) -> None:
    """A key with every scope can call what the role of its owner allows."""
    person = await make_person(callers.stores, clock, organisation, role)
    scopes = [scope for scope in SCOPES if opens(role, scope)]
    assert await opened(await callers.of(person, "admin")) == expected(scopes)
