"""The registered identity providers: one per organisation, each identified by the issuer of its assertions."""

from __future__ import annotations

from typing import Any, Final

import attrs

from redcore_server.store.postgres import Pool, queries

_QUERIES: Final = queries("saml")


@attrs.frozen(kw_only=True)
class IdentityProvider:
    """The identity provider that an organisation trusts."""

    entity_id: str
    organisation_id: str
    sso_url: str
    certificates: tuple[str, ...]
    """Certificates in PEM; any of them may have signed."""


class IdentityProviders:
    """Reads identity providers, in the threads of the auth service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def of_issuer(self, entity_id: str) -> IdentityProvider | None:
        """Return the provider with an entity id.

        Args:
            entity_id: Issuer of an assertion; may be any text.
        """
        rows = self._rows("by_issuer", {"entity_id": entity_id})
        return provider(rows[0]) if rows else None

    def of_organisation(self, organisation_id: str | None) -> IdentityProvider | None:
        """Return the provider of an organisation.

        Args:
            organisation_id: May be any text; None means the only organisation.
        """
        if organisation_id is not None:
            rows = self._rows("by_organisation", {"organisation_id": organisation_id})
        else:
            rows = self._rows("all", {})
        return provider(rows[0]) if len(rows) == 1 else None

    def _rows(self, query: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        if any("\0" in value for value in parameters.values()):  # PostgreSQL's text cannot hold it
            return []
        with self._pool.connection() as connection:
            return connection.execute(_QUERIES[query], parameters).fetchall()


def provider(row: dict[str, Any]) -> IdentityProvider:
    """Return the provider of a row.

    Args:
        row: Row of the table.
    """
    return IdentityProvider(
        entity_id=row["entity_id"],
        organisation_id=row["organisation_id"],
        sso_url=row["sso_url"],
        certificates=tuple(row["certificates"]),
    )
