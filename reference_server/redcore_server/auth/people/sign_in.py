"""Authenticates a person: by password, then by the second factor if there is one.

Unknown, inactive and wrong give the same answer after the same work. Knows neither pages nor sessions.
"""

from __future__ import annotations

from typing import Final

import attrs

from redcore_server.auth.people.login_throttle import Attempts
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.person import Person, email_key, person
from redcore_server.auth.people.totp import matching_step
from redcore_server.clock import Clock
from redcore_server.store.postgres import AsyncPool, queries

_QUERIES: Final = queries("people")


@attrs.frozen
class Proof:
    """A person who gave the correct password."""

    person: Person
    owes_code: bool


@attrs.frozen(kw_only=True)
class SignIn:
    """Checks passwords and codes against PostgreSQL, within the limits of `Attempts`."""

    postgres: AsyncPool
    clock: Clock
    passwords: Passwords
    attempts: Attempts

    async def by_password(self, organisation_id: str, email: str, password: str, *, address: str) -> Proof | None:
        """Return the person with this e-mail and password in an organisation, or None.

        Args:
            organisation_id: Organisation id; e-mails are unique within one.
            email: E-mail as typed.
            password: Password as typed.
            address: Client address.

        Raises:
            TooManyAttempts: The attempt was not checked.
        """
        key = email_key(email.strip())
        account = _account(organisation_id, key)
        is_known = await self.attempts.spend(account=account, address=address)
        async with self.postgres.connection() as connection:
            parameters = {"organisation_id": organisation_id, "email_key": key.replace("\0", "\ufffd")}
            row = await (await connection.execute(_QUERIES["candidate"], parameters)).fetchone()
        stored = row["password_hash"] if row else None
        is_right = await self.passwords.verify(stored, password, is_known=is_known)
        if row is None or not is_right:
            return None
        await self._keep_up(row["id"], row["password_hash"], password)
        if not row["has_totp"]:
            await self.attempts.succeed(account=account, address=address)
        return Proof(person(row), owes_code=row["has_totp"])

    async def by_code(self, who: Person, code: str, *, address: str) -> bool:
        """Return whether a code is correct, and consume it.

        Args:
            who: Person who gave the correct password before.
            code: Code as typed.
            address: Client address.

        Raises:
            TooManyAttempts: The attempt was not checked.
        """
        account = _account(who.organisation_id, email_key(who.email))
        await self.attempts.spend(account=account, address=address, step="code")
        async with self.postgres.connection() as connection:
            row = await (await connection.execute(_QUERIES["totp"], {"id": who.id})).fetchone()
            step = matching_step(row["totp_secret"], code, self.clock.time()) if row else None
            if step is None:
                return False
            used = await (await connection.execute(_QUERIES["use_totp_step"], {"id": who.id, "step": step})).fetchone()
        if used is None:
            return False
        await self.attempts.succeed(account=account, address=address)
        return True

    async def has_identity_provider(self, organisation_id: str) -> bool:
        """Return whether the people of an organisation can sign in with SAML instead.

        Args:
            organisation_id: Organisation that requires the sign-in.
        """
        async with self.postgres.connection() as connection:
            found = await connection.execute(_QUERIES["identity_provider"], {"organisation_id": organisation_id})
            return await found.fetchone() is not None

    async def _keep_up(self, user_id: str, stored: str, password: str) -> None:
        """Rehash a password that was stored with weaker parameters."""
        if self.passwords.hasher.check_needs_rehash(stored):
            values = {"id": user_id, "old": stored, "new": await self.passwords.hash(password)}
            async with self.postgres.connection() as connection:
                await connection.execute(_QUERIES["rehash"], values)


def _account(organisation_id: str, key: str) -> str:
    return f"{organisation_id} {key}"
