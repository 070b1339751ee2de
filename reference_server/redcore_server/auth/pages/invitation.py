"""The page behind an invitation's link: choose a password and optionally a second factor.

Opening it does not consume the invitation, because mail scanners also open links. The secret of the second factor is
new each time and is carried in the form until a code proves that the person has stored it.
"""

from __future__ import annotations

from typing import Final

import attrs
from starlette.responses import Response

from redcore_server.auth.pages.browser_request import BrowserRequest
from redcore_server.auth.pages.context import ServiceContext
from redcore_server.auth.pages.problem import PageProblem
from redcore_server.auth.people.invitation_acceptance import Acceptance, Invitation, SecondFactor
from redcore_server.auth.people.passwords import MAX_LENGTH, MIN_LENGTH, Passwords, problem
from redcore_server.auth.people.totp import is_totp_secret, matching_step, new_totp_secret, qr_code
from redcore_server.auth.routes import Routes, path_of
from redcore_server.clock import Clock

_CLOSED: Final = PageProblem(
    "This invitation cannot be used",
    "It was used before, is too old, or a newer one took its place. If you have no password yet, ask an "
    "administrator of your organisation to invite you again.",
)


def routes(context: ServiceContext) -> Routes:
    """Return the routes of the invitation pages.

    Args:
        context: Components of the service.
    """
    page = _InvitationPage(Acceptance(context.stores.postgres, context.clock), context.passwords, context.clock)
    handler = context.browsers.handler(page.answer)
    return {"/oauth/invitations/": {"GET": handler, "POST": handler}}


@attrs.frozen
class _Filled:
    """The submitted form."""

    password: str = attrs.field(repr=False)
    repeated: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)
    code: str = attrs.field(repr=False)

    def issues(self, invitation: Invitation, step: int | None) -> dict[str, str]:
        """Return the errors by field."""
        found: dict[str, str] = {}
        if issue := problem(self.password, email=invitation.email):
            found["password"] = issue
        elif self.password != self.repeated:
            found["repeated"] = "This is not the same password."
        if self.code and step is None:
            found["code"] = "That code is not right. Check the clock of your device, and use the newest code."
        return found


@attrs.frozen
class _InvitationPage:
    acceptance: Acceptance
    passwords: Passwords
    clock: Clock

    async def answer(self, browser: BrowserRequest) -> Response:
        token = path_of(browser.request).rpartition("/")[2]
        invitation = await self.acceptance.find(token)
        if invitation is None:
            raise _CLOSED
        if browser.request.method == "POST":
            return await self._take(browser, invitation)
        return _form(browser, invitation, new_totp_secret(), {})

    async def _take(self, browser: BrowserRequest, invitation: Invitation) -> Response:
        given = browser.form.get("secret", "")
        filled = _Filled(
            password=browser.form.get("password", ""),
            repeated=browser.form.get("repeated", ""),
            secret=given if is_totp_secret(given) else new_totp_secret(),
            code=browser.form.get("code", "").strip(),
        )
        step = matching_step(filled.secret, filled.code, self.clock.time())
        issues = filled.issues(invitation, step)
        if issues:
            return _form(browser, invitation, filled.secret, issues, is_open=bool(filled.code))
        factor = None if step is None else SecondFactor(secret=filled.secret, step=step)
        hashed = await self.passwords.hash(filled.password)
        if not await self.acceptance.accept(invitation, password_hash=hashed, factor=factor):
            raise _CLOSED
        await browser.sign_out()  # sign out any previous user of this browser
        return browser.page("accepted", invitation=invitation, has_factor=factor is not None)


def _form(
    browser: BrowserRequest,
    invitation: Invitation,
    secret: str,
    issues: dict[str, str],
    *,
    is_open: bool = False,
) -> Response:
    return browser.page(
        "invitation",
        invitation=invitation,
        secret=secret,
        secret_groups=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        qr_code=qr_code(secret, invitation.email),
        issues=issues,
        problem=bool(issues),
        is_open=is_open,
        least=MIN_LENGTH,
        most=MAX_LENGTH,
    )
