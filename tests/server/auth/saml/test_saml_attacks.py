"""Every attack at every endpoint that accepts assertions: refused, for a reason that only the log names."""

from __future__ import annotations

import sys

import anyio
import httpx
import pytest
import xmlsec
from structlog.testing import capture_logs
from tests.server.support.identity_provider import identity_provider, serialized
from tests.server.support.saml_addresses import ENTITY_ID, KINDS, TOKEN, Address, address_of
from tests.server.support.saml_attacks import FORMS, SAYINGS, VICTIM, Attack, Scene, find
from tests.server.support.saml_wrappings import WRAPPINGS
from tests.server.support.tenants import Client

from redcore_server.auth.saml.document import parse
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.clock import Clock
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def address(
    request: pytest.FixtureRequest,
    http: httpx.AsyncClient,
    stores: Stores,
    clock: Clock,
    client: Client,
) -> Address:
    return await address_of(request.param, http=http, stores=stores, clock=clock, client=client)


async def refusal(address: Address, document: bytes) -> str:
    """Return why a document is refused, according to the log."""
    with capture_logs() as lines:
        assert not address.is_welcome(await address.bring(document))
    (line,) = [line for line in lines if line["event"] == "SAML assertion refused"]
    assert line["log_level"] == "warning"
    assert "ada@example.com" not in str(line)
    return str(line["reason"])


async def test_an_honest_document_is_accepted(address: Address) -> None:
    """The document that the attacks below alter would have been accepted."""
    scene = await address.scene()

    assert address.is_welcome(await address.bring(scene.honest()))


@pytest.mark.parametrize(("attack", "reason"), SAYINGS.values(), ids=SAYINGS)
async def test_a_signed_assertion_with_wrong_content_is_refused(address: Address, attack: Attack, reason: str) -> None:
    """A valid signature is not enough."""
    scene = await address.scene()

    assert reason in await refusal(address, attack(scene))


@pytest.mark.parametrize(("attack", "reason"), FORMS.values(), ids=FORMS)
async def test_a_document_without_valid_proof_is_refused(address: Address, attack: Attack, reason: str) -> None:
    """Valid content is not enough."""
    scene = await address.scene()

    assert reason in await refusal(address, attack(scene))


@pytest.mark.parametrize("name", WRAPPINGS)
async def test_signature_wrapping_is_refused(address: Address, name: str) -> None:
    """All eight published variants: a person named in the document beside the signed assertion is ignored."""
    document = serialized(WRAPPINGS[name](await address.scene()))
    assert VICTIM.encode() in document

    assert await refusal(address, document) == "it has 2 readable assertions instead of one"


@pytest.mark.parametrize("name", ["XSW2", "XSW3", "XSW4", "XSW5", "XSW7"])
async def test_wrapping_leaves_the_signature_whole(name: str, clock: Clock) -> None:
    """They are real attacks: a verifier that only checks the signature is deceived."""
    provider = identity_provider("https://idp.example.com")
    scene = Scene(provider=provider, audience=ENTITY_ID, recipient=TOKEN, now=clock.now())
    root = parse(serialized(WRAPPINGS[name](scene)))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(provider.certificate, xmlsec.KeyFormat.CERT_PEM)
    xmlsec.tree.add_ids(root, ["ID"])

    context.verify(find(root, "//ds:Signature"))


def test_size_is_bounded_at_every_entry() -> None:
    """The endpoints limit their forms; this limit holds for any later caller."""
    with pytest.raises(AssertionRefused, match="it is larger than 65536 bytes"):
        parse(b" " * 65537)


async def test_toolkit_is_not_loaded_at_start_up() -> None:
    """python3-saml, xmlsec and lxml take a tenth of the second that a start may."""
    code = """
import sys
import redcore_server.process.command, redcore_server.process.platform
print({name.partition(".")[0] for name in sys.modules} & {"lxml", "onelogin", "xmlsec"})
"""
    found = await anyio.run_process([sys.executable, "-c", code])

    assert found.stdout.decode() == "set()\n"
