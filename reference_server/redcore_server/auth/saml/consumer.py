"""Turns an assertion into a user: reads, verifies and consumes it, and finds the user.

Verification is slow, so `examine` runs in threads. The reason of a rejection is only logged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Final, Literal

import attrs
import structlog

from redcore_server.auth.people.person import Person, email_key, is_same_mailbox, person
from redcore_server.auth.people.role import is_appointed
from redcore_server.auth.saml.assertion import Assertion, read_assertion, read_envelope, read_issuer
from redcore_server.auth.saml.conditions import check
from redcore_server.auth.saml.identity_providers import IdentityProvider, IdentityProviders
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.saml.replay import use_assertion
from redcore_server.auth.saml.service_provider import ServiceProvider
from redcore_server.clock import Clock
from redcore_server.store.postgres import AsyncPool, queries

Bearer = Literal["browser", "application"]

_QUERIES: Final = queries("saml")
_log = structlog.stdlib.get_logger("redcore_server.auth.saml")


@attrs.frozen(kw_only=True)
class Statement:
    """A valid assertion that is not yet consumed."""

    provider: IdentityProvider
    assertion: Assertion
    in_response_to: str | None


@attrs.frozen(kw_only=True)
class AssertionConsumer:
    """Validates assertions at the endpoints of the service provider."""

    addresses: ServiceProvider
    providers: IdentityProviders
    pool: AsyncPool
    clock: Clock

    def examine(self, xml: bytes, bearer: Bearer) -> Statement:
        """Return the content of a response or an assertion, if it is valid.

        Args:
            xml: The presented XML.
            bearer: Who presents it; a browser presents responses to our requests, an application assertions of its own.

        Raises:
            AssertionRefused: It is not valid.
        """
        from redcore_server.auth.saml import signature  # noqa: PLC0415 - the toolkit under both is slow to import
        from redcore_server.auth.saml.document import parse  # noqa: PLC0415 - as above

        root = parse(xml)
        element = signature.only_assertion(root)
        issuer = read_issuer(element)
        provider = self.providers.of_issuer(issuer)
        if provider is None:
            raise AssertionRefused(f"its issuer {issuer} is not on record")
        signature.verify(root, provider.certificates)
        envelope, assertion = read_envelope(root), read_assertion(element)
        if bearer == "browser":
            if envelope is None or not assertion.sessions:
                raise AssertionRefused("it does not say that the person signed in")
            expected = self.addresses.of_browser(provider.entity_id)
        else:
            expected = self.addresses.of_application(provider.entity_id, is_response=envelope is not None)
        confirmation = check(assertion, envelope, expected, self.clock.now())
        return Statement(provider=provider, assertion=assertion, in_response_to=confirmation.in_response_to)

    async def subject(self, statement: Statement) -> Person:
        """Return the user of a statement: one of the provider's organisation, active or invited.

        Args:
            statement: Statement from `examine`.

        Raises:
            AssertionRefused: The user is unknown or inactive, or the NameID only looks like the user's address.
        """
        parameters = {
            "organisation_id": statement.provider.organisation_id,
            "email_key": email_key(statement.assertion.name_id),
        }
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_QUERIES["person"], parameters)).fetchone()
        if row is None:
            raise AssertionRefused("its subject is not an active or invited user of the organisation")
        if not is_same_mailbox(row["email"], statement.assertion.name_id):
            raise AssertionRefused("its subject only looks like a user of the organisation")
        if row["status"] != "active" and not is_appointed(row["role"], row["appointer_role"]):
            raise AssertionRefused("the person who gave its subject the role may no longer give it")
        return person(row)

    async def use(self, statement: Statement, who: Person) -> None:
        """Consume an assertion, and in the same transaction make an invited user active: the provider vouches for them.

        Args:
            statement: Statement from `examine`.
            who: User of the statement.

        Raises:
            AssertionRefused: It was used before.
        """
        now, assertion_id = self.clock.now(), statement.assertion.id
        async with self.pool.connection() as connection, connection.transaction():
            if not await use_assertion(connection, statement.provider.entity_id, assertion_id, now):
                raise AssertionRefused(f"assertion {assertion_id} was used before")
            await connection.execute(_QUERIES["activate"], {"id": who.id, "now": now})


@contextlib.contextmanager
def telling_why(bearer: Bearer) -> Generator[None]:
    """Log why an assertion is rejected, and re-raise.

    Args:
        bearer: Who presented it.
    """
    try:
        yield
    except AssertionRefused as refusal:
        _log.warning("SAML assertion refused", reason=str(refusal), bearer=bearer)
        raise
