"""Users of an organisation with any role, and their credentials."""

from __future__ import annotations

import attrs
from tests.server.support.tenants import Organisation

from redcore_server.clock import Clock
from redcore_server.ids import new_id
from redcore_server.store import Stores


async def make_person(
    stores: Stores, clock: Clock, organisation: Organisation, role: str, *, status: str = "active"
) -> Organisation:
    """Insert a user of an organisation; return the organisation with that user as the owner of what is made next."""
    person = attrs.evolve(organisation, owner_id=new_id("usr"))
    values = {"id": person.owner_id, "org": organisation.id, "role": role, "status": status, "now": clock.now()}
    async with stores.postgres.connection() as connection:
        await connection.execute(
            """insert into users (id, organisation_id, email, email_key, name, role, status, accepted_at, appointed_by,
                                  created_at, updated_at)
               values (%(id)s, %(org)s, %(id)s || '@example.com', lower(%(id)s) || '@example.com', 'Grace', %(role)s,
                       %(status)s, case when %(status)s = 'active' then %(now)s end, %(by)s, %(now)s, %(now)s)""",
            {**values, "by": organisation.owner_id},
        )
    return person
