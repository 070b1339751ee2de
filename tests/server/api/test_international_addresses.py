"""E-mail addresses beyond ASCII (RFC 6531): accepted, compared, found and written to like any other."""

from __future__ import annotations

import email
from email.policy import SMTPUTF8
from pathlib import Path

import httpx
import pytest
from tests.server.mail.test_mail import mail
from tests.server.support.callers import rows
from tests.server.support.inbox import Inbox, listening
from tests.server.support.saml_addresses import add_user, address_of
from tests.server.support.tenants import Client, Organisation

from redcore_server.auth.people.login_throttle import Attempts
from redcore_server.auth.people.passwords import Passwords
from redcore_server.auth.people.person import email_key
from redcore_server.auth.people.sign_in import SignIn
from redcore_server.clock import Clock
from redcore_server.mail.mailer import MailRefused, Outbox, Smtp
from redcore_server.mail.outbox import read_outbox
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio

COMPOSED = "ren\u00e9@example.com"
DECOMPOSED = "rene\u0301@example.com"


async def create(caller: httpx.AsyncClient, address: str) -> httpx.Response:
    return await caller.post("/v1/users", json={"email": address, "name": "René"})


@pytest.mark.parametrize("address", [COMPOSED, DECOMPOSED, "用户@例え.jp", "ada@münchen.de", '"ß"@example.com'])
async def test_an_address_may_have_any_letters(caller: httpx.AsyncClient, address: str) -> None:
    """It is stored as written."""
    answer = await create(caller, address)

    assert (answer.status_code, answer.json()["data"]["email"]) == (201, address)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, "REN\u00c9@EXAMPLE.COM"),
        ("grace@example.com", "GRACE@example.com"),
        ("grace@example.com", "\N{FULLWIDTH LATIN SMALL LETTER G}race@example.com"),
        ("straße@example.com", "STRASSE@example.com"),
        ("ada@münchen.de", "ada@XN--Mnchen-3ya.de"),
        ("ada@xn--r8jz45g.jp", "ada@例え.jp"),
        ("ada@mail.xn--mnchen-3ya.de", "ada@mail.m\u0075\u0308nchen.de"),
        ("grace@example.com", '"grace"@example.com'),
        ("grace@example.com", '"gr\\ac\\e"@example.com'),
        ("grace@example.com", "grace@example\u3002com"),
        ("grace@example.com", "grace@example\uff61com"),
        ("grace@example.com", "grace@exam\N{VARIATION SELECTOR-16}ple.com"),
        ("grace@example.com", "gra\N{COMBINING GRAPHEME JOINER}ce@example.com"),
        ("ada@xn--r8jz45g.jp", "ada@例\N{VARIATION SELECTOR-17}え.jp"),
    ],
)
async def test_spellings_of_one_address_are_one(caller: httpx.AsyncClient, first: str, second: str) -> None:
    """In another Unicode form, another case or both."""
    assert (await create(caller, first)).status_code == 201

    answer = await create(caller, second)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "DUPLICATE_RESOURCE")


@pytest.mark.parametrize("address", ["ada@xn--", "ada@xn--a.de", "ada@xn--99999999.de"])
async def test_a_label_unknown_to_idna_is_unchanged(address: str) -> None:
    """The API refuses such an address; an identity provider may still name one."""
    assert email_key(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "a b@x.de",
        "é\u00a0b@x.de",
        "\u3000é@x.de",
        '"é b"@x.de',
        "é\n@x.de",
        "é@x.de\n",
        "é\u0085@x.de",
        "é\u2028@x.de",
        "é\u200b@x.de",
        "é\u202e@x.de",
        "é\u00ad@x.de",
        "\ufeffé@x.de",
        "é@b@x.de",
        "é@@x.de",
        "@x.de",
        "é@",
        "é@x..de",
        "é..b@x.de",
        "é <é@x.de>",
        f"{'é' * 65}@x.de",
        f"é@{'.'.join(['x' * 60] * 5)}.de",
        "é@\N{FULLWIDTH FULL STOP}de",
    ],
)
async def test_an_invalid_address_is_refused(caller: httpx.AsyncClient, address: str) -> None:
    """Blanks, control and invisible characters, two @, empty and over-long parts, and a display name."""
    answer = await create(caller, address)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    issues = {(detail["field"], detail["issue"].partition(" is ")[2]) for detail in answer.json()["error"]["details"]}
    assert ("email", "not an e-mail address") in issues


async def test_a_person_signs_in_with_any_spelling(stores: Stores, clock: Clock, organisation: Organisation) -> None:
    """The form may differ from the one the administrator typed."""
    await add_user(stores, organisation, COMPOSED, "active")
    passwords = Passwords()
    hashed = await passwords.hash("correct horse battery")
    await rows(
        stores,
        "update users set password_hash = %s where organisation_id = %s and email = %s returning id",
        hashed,
        organisation.id,
        COMPOSED,
    )
    sign_in = SignIn(postgres=stores.postgres, clock=clock, passwords=passwords, attempts=Attempts(stores.redis, clock))

    proof = await sign_in.by_password(
        organisation.id, DECOMPOSED.upper(), "correct horse battery", address=organisation.id
    )

    assert proof is not None
    assert proof.person.email == COMPOSED


async def test_a_name_id_in_another_form_is_the_same_person(
    http: httpx.AsyncClient, stores: Stores, clock: Clock, client: Client, organisation: Organisation
) -> None:
    """SAML's NameID is compared as every address is."""
    await add_user(stores, organisation, COMPOSED, "active")
    address = await address_of("browser", http=http, stores=stores, clock=clock, client=client)

    answer = await address.bring((await address.scene()).honest(name_id=DECOMPOSED))

    assert address.is_welcome(answer)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ("mike@example.com", "mi\N{KELVIN SIGN}e@example.com"),
        ("mike@example.com", "\N{FULLWIDTH LATIN SMALL LETTER M}ike@example.com"),
        ("mike@example.com", "mi\N{COMBINING GRAPHEME JOINER}ke@example.com"),
        ("strasse@example.com", "straße@example.com"),
    ],
)
async def test_a_name_id_that_looks_like_a_person_is_refused(  # noqa: PLR0917 - fixtures
    http: httpx.AsyncClient,
    stores: Stores,
    clock: Clock,
    client: Client,
    organisation: Organisation,
    known: str,
    said: str,
) -> None:
    """An identity provider may have both addresses, and give one to a stranger."""
    await add_user(stores, organisation, known, "active")
    address = await address_of("browser", http=http, stores=stores, clock=clock, client=client)

    answer = await address.bring((await address.scene()).honest(name_id=said))

    assert not address.is_welcome(answer)


async def test_the_outbox_shows_the_address(tmp_path: Path) -> None:
    """As it is, not encoded."""
    await Outbox(tmp_path).send(mail(to=COMPOSED))

    (shown,) = read_outbox(tmp_path)
    assert shown["to"] == COMPOSED


async def test_a_mail_server_with_smtputf8_gets_the_mail() -> None:
    """RFC 6531: the envelope and the header name the address in UTF-8."""
    inbox = Inbox()
    async with listening(inbox, enable_SMTPUTF8=True) as port:
        await Smtp.from_url(f"smtp://127.0.0.1:{port}").send(mail(to=COMPOSED))

    (envelope,) = inbox.received
    assert envelope.rcpt_tos == [COMPOSED]
    assert isinstance(envelope.content, bytes)
    assert email.message_from_bytes(envelope.content, policy=SMTPUTF8)["To"] == COMPOSED


async def test_a_mail_server_without_smtputf8_is_not_retried() -> None:
    """The mail is not retried forever; mail to other addresses is sent."""
    inbox = Inbox()
    async with listening(inbox, enable_SMTPUTF8=False) as port:
        smtp = Smtp.from_url(f"smtp://127.0.0.1:{port}")
        with pytest.raises(MailRefused, match="SMTPNotSupported"):
            await smtp.send(mail(to=COMPOSED))
        await smtp.send(mail())

    assert [envelope.rcpt_tos for envelope in inbox.received] == [["ann@example.com"]]
