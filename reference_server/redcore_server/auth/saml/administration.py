"""Administration of identity providers: register one from its metadata, list them, remove one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from redcore_server.auth.saml.identity_providers import IdentityProvider
from redcore_server.auth.saml.toolkit import XMLSyntaxError, provider_settings
from redcore_server.clock import Clock
from redcore_server.settings import LOOPBACK_HOSTS, OperatorError
from redcore_server.store.postgres import connect, queries

_QUERIES: Final = queries("saml")
_MIN_KEY_BITS: Final = 2048  # NIST SP 800-131A: shorter RSA keys are not allowed


class UnusableIdentityProvider(OperatorError):  # noqa: N818 - the names of errors say what happened
    """The metadata or its organisation cannot be used."""


def list_providers(database_url: str) -> list[tuple[str, str, str]]:
    """Return organisation, entity id and sign-in address of each registered provider.

    Args:
        database_url: URL of a migrated database.
    """
    with connect(database_url) as connection:
        rows = connection.execute(_QUERIES["all"]).fetchall()
    return [(organisation_id, entity_id, sso_url) for entity_id, organisation_id, sso_url, _ in rows]


def set_provider(database_url: str, organisation_id: str | None, metadata: bytes) -> IdentityProvider:
    """Let an organisation sign in at a provider, replacing its previous one.

    Args:
        database_url: URL of a migrated database.
        organisation_id: Organisation id; None means the only one.
        metadata: Metadata of the provider, in XML.

    Raises:
        UnusableIdentityProvider: The metadata or the organisation cannot be used.
    """
    described = _described(metadata)
    with connect(database_url) as connection:
        organisation_id = _organisation(connection, organisation_id)
        provider = IdentityProvider(organisation_id=organisation_id, **described)
        row = {
            "entity_id": provider.entity_id,
            "organisation_id": organisation_id,
            "sso_url": provider.sso_url,
            "certificates": list(provider.certificates),
            "now": Clock().now(),
        }
        try:
            connection.execute(_QUERIES["set"], row)
        except psycopg.errors.UniqueViolation:
            raise UnusableIdentityProvider(
                f"{provider.entity_id} belongs to another organisation; give each its own identity provider"
            ) from None
    return provider


def remove_provider(database_url: str, organisation_id: str | None) -> str | None:
    """Remove the provider of an organisation; return its entity id, or None without one.

    Args:
        database_url: URL of a migrated database.
        organisation_id: Organisation id; None means the only one.

    Raises:
        UnusableIdentityProvider: There is no such organisation.
    """
    with connect(database_url) as connection:
        parameters = {"organisation_id": _organisation(connection, organisation_id)}
        row = connection.execute(_QUERIES["remove"], parameters).fetchone()
    return row[0] if row else None


def _organisation(connection: psycopg.Connection[tuple[Any, ...]], organisation_id: str | None) -> str:
    known = [row[0] for row in connection.execute(_QUERIES["organisations"])]
    if organisation_id in known:
        return str(organisation_id)
    if organisation_id is None and len(known) == 1:
        return str(known[0])
    advice = f"choose one with --organisation: {', '.join(known) or 'there is none yet, run redcore-server seed'}"
    raise UnusableIdentityProvider(f"the organisation is not clear; {advice}")


def _described(metadata: bytes) -> dict[str, Any]:
    """Parse the metadata of a provider."""
    try:
        described = provider_settings(metadata)
    except (XMLSyntaxError, ValueError):  # ValueError: it has a document type
        raise UnusableIdentityProvider("the metadata are no XML that can be read") from None
    several = described.get("x509certMulti", {}).get("signing", [])
    certificates = several or [described[name] for name in ("x509cert",) if name in described]
    sso_url = described.get("singleSignOnService", {}).get("url", "")
    if not described.get("entityId") or not certificates:
        raise UnusableIdentityProvider("the metadata describe no identity provider with a signing certificate")
    if not _is_safe(sso_url):
        raise UnusableIdentityProvider("the metadata name no HTTPS address that takes requests by HTTP-Redirect")
    return {"entity_id": described["entityId"], "sso_url": sso_url, "certificates": tuple(_pems(certificates))}


def _pems(certificates: Sequence[str]) -> list[str]:
    """Return certificates in PEM; reject those that xmlsec cannot use or that are too weak."""
    pems: list[str] = []
    for text in certificates:
        pem = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            raise UnusableIdentityProvider("a certificate of the metadata cannot be read") from None
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_KEY_BITS:
            raise UnusableIdentityProvider(f"a certificate has no RSA key of at least {_MIN_KEY_BITS} bits")
        pems.append(certificate.public_bytes(Encoding.PEM).decode())
    return pems


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
