"""Accepting an invitation: the link from the mail, a password, a second factor if wanted, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import anyio
import attrs
import httpx
import pyotp
import pytest
from tests.server.support.authorizing import Flow, register, signed_in
from tests.server.support.browsing import Browser, forms_of, text_of
from tests.server.support.callers import Callers, Json, rows
from tests.server.support.tenants import ISSUER, Organisation

from redcore_server.clock import Clock
from redcore_server.invitations.link import invitation_token
from redcore_server.mail.mailer import Outbox
from redcore_server.store import Stores
from redcore_server.worker.invitations import InvitationSender

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


@attrs.frozen
class Invited:
    """A new user, and the content of the mail."""

    id: str
    link: str
    stores: Stores

    async def row(self) -> Json:
        """Return the user's row."""
        return (await rows(self.stores, "select * from users where id = %s", self.id))[0]


async def invite(
    caller: httpx.AsyncClient, stores: Stores, clock: Clock, outbox: Path, user_id: str | None = None
) -> Invited:
    """Invite a person through the API, and read the mail that the worker writes."""
    if user_id is None:
        new = await caller.post("/v1/users", json={"email": "bo@example.com", "name": "Bo <b>"})
        user_id = str(new.json()["data"]["id"])
    else:
        assert (await caller.post(f"/v1/users/{user_id}/invitation")).status_code == 202
    query = "select id from invitations where user_id = %s and voided_at is null and accepted_at is null"
    [invitation] = await rows(stores, query, user_id)
    sender = InvitationSender(
        stores=stores, mailer=Outbox(outbox), clock=clock, origin=ISSUER, sender="BlueRound <no@example.com>"
    )
    await sender.send(invitation["id"])
    mail = message_from_bytes((outbox / f"{invitation['id']}.eml").read_bytes(), policy=policy.default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = re.search(rf"{ISSUER}(/oauth/invitations/\S+)", text)
    assert link is not None
    return Invited(user_id, link[1], stores)


@pytest.fixture
async def invited(caller: httpx.AsyncClient, stores: Stores, clock: Clock, tmp_path: Path) -> Invited:
    return await invite(caller, stores, clock, tmp_path)


@pytest.fixture
async def browser(callers: Callers) -> Browser:
    return Browser(await callers.bearing(None))


async def accept(browser: Browser, invited: Invited, **fields: str) -> httpx.Response:
    """Open the link and send the form."""
    page = await browser.get(invited.link)
    return await browser.fill(page, "accept", **{"password": PASSWORD, "repeated": PASSWORD, **fields})


async def test_password_makes_the_user_active(
    browser: Browser, invited: Invited, stores: Stores, clock: Clock, organisation: Organisation
) -> None:
    """From the mail to a session with that password, which is not stored in the database."""
    answer = await accept(browser, invited)

    row = await invited.row()
    assert "You are all set" in text_of(answer)
    assert (row["status"], row["accepted_at"] is not None, row["totp_secret"]) == ("active", True, None)
    assert row["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    app = await register(stores, clock, organisation)
    flow = Flow(browser, app)
    signing_in = await browser.fill(await flow.ask(), "password", email="BO@example.com", password=PASSWORD)
    assert "Signed in as bo@example.com" in text_of(await browser.follow(signing_in))


async def test_page_shows_the_person_and_the_organisation(browser: Browser, invited: Invited) -> None:
    """The name is escaped, whatever it contains; the page is as strict as every other."""
    page = await browser.get(invited.link)

    assert "Welcome, Bo <b>" in text_of(page)
    assert "bo@example.com" in text_of(page)
    assert "data:image/svg+xml" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.headers["X-Frame-Options"] == "DENY"


async def test_browsers_accept_any_address(browser: Browser, invited: Invited) -> None:
    """In a field of the type `email` browsers refuse addresses beyond ASCII, and do not send the form."""
    page = (await browser.get(invited.link)).text

    assert 'type="email"' not in page
    assert 'name="username" type="text"' in page


async def test_opening_the_link_does_not_use_it_up(browser: Browser, invited: Invited) -> None:
    """Mail scanners open links too."""
    for _ in range(3):
        assert (await browser.get(invited.link)).status_code == 200

    assert (await accept(browser, invited)).status_code == 200


async def test_totp_is_set_up_and_then_asked(
    browser: Browser, invited: Invited, stores: Stores, clock: Clock, organisation: Organisation
) -> None:
    """With a code from the new secret the factor is on, and that code is used up."""
    page = await browser.get(invited.link)
    secret = forms_of(page)["accept"]["secret"]
    code = pyotp.TOTP(secret).at(int(clock.time()))
    fields = {"password": PASSWORD, "repeated": PASSWORD}
    mistyped = await browser.fill(page, "accept", **fields, code="000000" if code != "000000" else "000001")
    done = await browser.fill(mistyped, "accept", **fields, code=code)
    flow = Flow(browser, await register(stores, clock, organisation))
    asked = await browser.follow(
        await browser.fill(await flow.ask(), "password", email="bo@example.com", password=PASSWORD)
    )
    replayed = await browser.fill(asked, "code", code=code)
    clock.advance(30)
    fresh = await browser.fill(replayed, "code", code=pyotp.TOTP(secret).at(int(clock.time())))

    assert "That code is not right" in text_of(mistyped)
    assert forms_of(mistyped)["accept"]["secret"] == secret
    assert "protected by a second step" in text_of(done)
    assert "was used before" in text_of(replayed)
    assert "Signed in as bo@example.com" in text_of(await browser.follow(fresh))


@pytest.mark.parametrize(
    ("fields", "issue"),
    [
        ({"password": "too short", "repeated": "too short"}, "Use 12 to 128 characters."),
        ({"password": "x" * 129, "repeated": "x" * 129}, "Use 12 to 128 characters."),
        ({"password": "Bo@Example.com", "repeated": "Bo@Example.com"}, "Do not use your e-mail address."),
        ({"repeated": "correct horse baterry"}, "This is not the same password."),
        ({"code": "12345"}, "That code is not right."),
        ({"code": "123456", "secret": "planted"}, "That code is not right."),
    ],
)
async def test_mistakes_are_explained(browser: Browser, invited: Invited, fields: dict[str, str], issue: str) -> None:
    """At the field and in a summary that links to it; nothing is changed, and no password is repeated."""
    answer = await accept(browser, invited, **fields)

    assert text_of(answer).count(issue) == 2
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text
    assert (await invited.row())["status"] == "pending_invite"


async def test_link_works_once(browser: Browser, invited: Invited) -> None:
    """Afterwards no other password can be set with it."""
    await accept(browser, invited)
    before = (await invited.row())["password_hash"]
    again = await browser.get(invited.link)
    form = {"csrf": "", "password": "another horse battery", "repeated": "another horse battery"}
    await browser.post(invited.link, form)

    assert (again.status_code, "cannot be used" in again.text) == (400, True)
    assert (await invited.row())["password_hash"] == before


async def test_ten_at_once_accept_once(browser: Browser, invited: Invited) -> None:
    """Of many concurrent forms exactly one sets the password."""
    page = await browser.get(invited.link)
    cookies, answers = dict(browser.cookies), list[int]()

    async def send(number: int) -> None:
        password = f"correct horse battery {number}"
        mine = Browser(browser.http, dict(cookies))
        answer = await mine.fill(page, "accept", password=password, repeated=password)
        answers.append(answer.status_code)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(send, number)

    assert sorted(answers) == [200] + [400] * 9


def _with_signature(link: str) -> str:
    return link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")


def _with_later_end(link: str) -> str:
    head, expiry, signature = link.rsplit(".", 2)
    return f"{head}.{int(expiry) + 86400}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        _with_signature,
        _with_later_end,
        lambda link: link.rpartition(".")[0],
        lambda link: link.partition(".")[0],
        lambda _: "/oauth/invitations/x",
        lambda _: "/oauth/invitations/inv_1.99999999999.x",
        lambda _: "/oauth/invitations/%00",
        lambda _: "/oauth/invitations/%0D",  # URL parsers drop line breaks
    ],
)
async def test_forged_links_are_refused(browser: Browser, invited: Invited, forge: Callable[[str], str]) -> None:
    """A changed or invented link is refused, without further details."""
    answer = await browser.get(forge(invited.link))

    assert (answer.status_code, "cannot be used" in answer.text) == (400, True)
    assert "Bo" not in text_of(answer)


async def test_a_link_signed_with_another_key_is_refused(browser: Browser, invited: Invited) -> None:
    """The right form alone is not enough."""
    invitation_id, expiry, _ = invited.link.rpartition("/")[2].split(".")
    expires_at = datetime.fromtimestamp(int(expiry), UTC)
    token = invitation_token(invitation_id, expires_at=expires_at, secret="another key")

    assert (await browser.get(f"/oauth/invitations/{token}")).status_code == 400


async def test_link_ends_after_48_hours(browser: Browser, invited: Invited, clock: Clock) -> None:
    """Also when the page was opened before."""
    page = await browser.get(invited.link)
    clock.advance(timedelta(hours=48).total_seconds())

    late = await browser.fill(page, "accept", password=PASSWORD, repeated=PASSWORD)

    assert (late.status_code, "cannot be used" in late.text) == (400, True)


async def test_new_invitation_voids_the_old(
    browser: Browser, invited: Invited, caller: httpx.AsyncClient, clock: Clock, tmp_path: Path
) -> None:
    """Only the newest link works."""
    newer = await invite(caller, invited.stores, clock, tmp_path, invited.id)

    assert (await browser.get(invited.link)).status_code == 400
    assert (await accept(browser, newer)).status_code == 200


async def test_a_lost_password_is_replaced_by_a_new_invitation(
    browser: Browser, invited: Invited, caller: httpx.AsyncClient, clock: Clock, tmp_path: Path
) -> None:
    """An administrator makes the user inactive and invites it again: the old password and the old factor are gone."""
    page = await browser.get(invited.link)
    secret = forms_of(page)["accept"]["secret"]
    code = pyotp.TOTP(secret).at(int(clock.time()))
    await browser.fill(page, "accept", password=PASSWORD, repeated=PASSWORD, code=code)
    before = await invited.row()
    await caller.patch(f"/v1/users/{invited.id}", json={"status": "inactive"})

    again = await invite(caller, invited.stores, clock, tmp_path, invited.id)
    await accept(browser, again)

    after = await invited.row()
    assert (after["status"], after["totp_secret"], before["totp_secret"]) == ("active", None, secret)
    assert after["password_hash"] != before["password_hash"]


async def test_deleted_user_cannot_accept(browser: Browser, invited: Invited, caller: httpx.AsyncClient) -> None:
    """The link ends with the user."""
    page = await browser.get(invited.link)
    await caller.delete(f"/v1/users/{invited.id}")

    answer = await browser.fill(page, "accept", password=PASSWORD, repeated=PASSWORD)

    assert (answer.status_code, "cannot be used" in answer.text) == (400, True)


async def test_csrf_form_without_its_token_is_refused(browser: Browser, invited: Invited) -> None:
    """No other site can send the form for a person."""
    await browser.get(invited.link)
    form = {"step": "accept", "password": PASSWORD, "repeated": PASSWORD}

    assert (await browser.post(invited.link, form)).status_code == 302
    assert (await invited.row())["status"] == "pending_invite"


async def test_an_existing_session_is_signed_out(
    browser: Browser, invited: Invited, stores: Stores, clock: Clock, organisation: Organisation
) -> None:
    """A new person at a shared machine does not continue the session of the previous one."""
    shared = await signed_in(browser.http, stores, clock, organisation.owner_id)
    before = dict(shared.cookies)
    await accept(shared, invited)
    flow = Flow(Browser(browser.http, before), await register(stores, clock, organisation))

    assert "password" in forms_of(await flow.ask())
