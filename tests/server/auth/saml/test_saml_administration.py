"""Registering an identity provider from its metadata, as an operator does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.server.support.callers import rows
from tests.server.support.identity_provider import IdentityProvider, identity_provider, key_pair
from tests.server.support.tenants import Addresses, Organisation, make_organisation

from redcore_server.auth.saml.administration import UnusableIdentityProvider, set_provider
from redcore_server.clock import Clock
from redcore_server.process.command import cli
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@attrs.frozen
class Operator:
    """Runs `redcore-server identity-provider` for one organisation."""

    addresses: Addresses
    organisation: Organisation
    folder: Path

    def run(self, *words: str) -> Result:
        """Return the output of the command."""
        environment = {"REDCORE_SERVER_DATABASE_URL": self.addresses.database_url}
        arguments = ["identity-provider", "--organisation", self.organisation.id, *words]
        return CliRunner().invoke(cli, arguments, env=environment)

    def set(self, metadata: str) -> Result:
        """Return the output of the command with a metadata file."""
        path = self.folder / "metadata.xml"
        path.write_text(metadata)
        return self.run(str(path))

    def refusal(self, metadata: str) -> str:
        """Return the error message."""
        error = self.set(metadata).exception
        assert isinstance(error, UnusableIdentityProvider)
        return str(error)


@pytest.fixture
def operator(addresses: Addresses, organisation: Organisation, tmp_path: Path) -> Operator:
    return Operator(addresses, organisation, tmp_path)


@pytest.fixture
def provider(organisation: Organisation) -> IdentityProvider:
    return identity_provider(f"https://idp.example.com/{organisation.id}")


async def on_record(stores: Stores, organisation: Organisation) -> list[tuple[str, str, list[str]]]:
    found = await rows(stores, "select * from identity_providers where organisation_id = %s", organisation.id)
    return [(row["entity_id"], row["sso_url"], row["certificates"]) for row in found]


async def test_metadata_are_enough(
    operator: Operator, provider: IdentityProvider, stores: Stores, organisation: Organisation
) -> None:
    """Name, address and certificate; the command prints what it did."""
    result = operator.set(provider.metadata())

    assert f"{organisation.id} {provider.entity_id} {provider.sso_url}" in result.output.splitlines()
    expected = [(provider.entity_id, provider.sso_url, [provider.certificate])]
    assert await on_record(stores, organisation) == expected


async def test_a_changed_provider_replaces_the_former(
    operator: Operator, provider: IdentityProvider, stores: Stores, organisation: Organisation
) -> None:
    """Two certificates while its key changes, then the new one alone."""
    new = key_pair("second")[1]
    operator.set(provider.metadata())
    operator.set(provider.metadata(provider.certificate, new))
    both = await on_record(stores, organisation)
    operator.set(provider.metadata(new))

    assert both[0][2] == [provider.certificate, new]
    assert (await on_record(stores, organisation))[0][2] == [new]


async def test_a_provider_can_be_removed(
    operator: Operator, provider: IdentityProvider, stores: Stores, organisation: Organisation
) -> None:
    """If there is one."""
    operator.set(provider.metadata())

    assert operator.run("--remove").output == f"{provider.entity_id}\n"
    assert operator.run("--remove").output == "there was none\n"
    assert await on_record(stores, organisation) == []


async def test_without_metadata_providers_are_listed(operator: Operator, provider: IdentityProvider) -> None:
    """And nothing changes."""
    done = operator.set(provider.metadata()).output

    assert operator.run().output == done


async def test_a_lone_organisation_need_not_be_named(
    operator: Operator, provider: IdentityProvider, stores: Stores
) -> None:
    """As on a fresh server."""
    schema = operator.organisation.id.lower()
    async with stores.postgres.connection() as connection:
        await connection.execute(f"create schema {schema}".encode())
        for table in ("organisations", "identity_providers"):
            await connection.execute(f"create table {schema}.{table} (like {table} including all)".encode())
        copy = f"insert into {schema}.organisations select * from organisations limit 1"  # noqa: S608 - our own name
        await connection.execute(copy.encode())
    url = f"{operator.addresses.database_url}&options=-csearch_path%3D{schema}"

    assert set_provider(url, None, provider.metadata().encode()).entity_id == provider.entity_id


async def test_two_organisations_cannot_share_one(
    operator: Operator, provider: IdentityProvider, stores: Stores, clock: Clock
) -> None:
    """Its issuer must identify one organisation."""
    operator.set(provider.metadata())
    other = attrs.evolve(operator, organisation=await make_organisation(stores, clock))

    assert "belongs to another organisation" in other.refusal(provider.metadata())


async def test_the_organisation_must_be_clear(operator: Operator, provider: IdentityProvider) -> None:
    """An unknown one is refused, and so is a missing one if there are several; the advice lists them."""
    metadata, url = provider.metadata().encode(), operator.addresses.database_url

    for organisation_id in ("org_unknown", None):
        with pytest.raises(
            UnusableIdentityProvider, match=f"choose one with --organisation: .*{operator.organisation.id}"
        ):
            set_provider(url, organisation_id, metadata)


async def test_unusable_metadata_are_refused(operator: Operator, provider: IdentityProvider) -> None:
    """With a sentence that says what is wrong."""
    metadata = provider.metadata()
    no_key = metadata.replace('use="signing"', 'use="encryption"')
    no_address = metadata.replace("HTTP-Redirect", "SOAP")
    plain = metadata.replace('Location="https:', 'Location="http:')
    script = metadata.replace('Location="https:', 'Location="javascript:')

    assert operator.refusal("Hello") == "the metadata are no XML that can be read"
    assert operator.refusal(f"<!DOCTYPE x>{metadata}") == "the metadata are no XML that can be read"
    assert operator.refusal("<x/>") == "the metadata describe no identity provider with a signing certificate"
    assert operator.refusal(no_key) == "the metadata describe no identity provider with a signing certificate"
    for text in (no_address, plain, script):
        assert operator.refusal(text) == "the metadata name no HTTPS address that takes requests by HTTP-Redirect"
    assert operator.refusal(provider.metadata("AAAA")) == "a certificate of the metadata cannot be read"


async def test_a_loopback_address_may_be_plain(operator: Operator, provider: IdentityProvider) -> None:
    """For an identity provider on the developer's machine."""
    local = attrs.evolve(provider, sso_url="http://127.0.0.1:8080/sso")

    assert local.sso_url in operator.set(local.metadata()).output


async def test_other_keys_are_refused(operator: Operator, provider: IdentityProvider) -> None:
    """Only RSA keys of 2048 bits and more can verify the one allowed signature."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    assert operator.refusal(provider.metadata(certificate)) == "a certificate has no RSA key of at least 2048 bits"
