"""Asks a person to sign in on any page that requires it: the page's own URL shows and accepts the form.

So there is no return address that could be forged, and only the session is stored between the steps.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

import attrs
from starlette.responses import Response

from redcore_server.auth.pages.browser_request import BrowserRequest
from redcore_server.auth.people.login_throttle import TooManyAttempts
from redcore_server.auth.people.person import MAX_EMAIL, Person
from redcore_server.auth.people.sign_in import SignIn

_WRONG = "That e-mail address and password do not belong together."
_WRONG_CODE = "That code is not right, or was used before. Wait for the next one."


@attrs.frozen(kw_only=True)
class Purpose:
    """The purpose of a sign-in.

    Attributes:
        organisation_id: Organisation whose people may sign in.
        application: Name of the requesting application.
        form_targets: URLs to which the page may redirect later.
    """

    organisation_id: str
    application: str
    form_targets: tuple[str, ...] = ()


@attrs.frozen
class SignInPages:
    """The forms for password and code."""

    sign_in: SignIn

    async def require(self, browser: BrowserRequest, purpose: Purpose) -> Person | Response:
        """Return the person signed in for a purpose, or the response that asks for the sign-in.

        Its forms differ from the page's own by the field `step`.

        Args:
            browser: The request; if a response is returned, it must be sent.
            purpose: Purpose of the sign-in.
        """
        steps: Mapping[str, Callable[[BrowserRequest, Purpose], Awaitable[Response]]] = {
            "password": self._take_password,
            "code": self._take_code,
            "sign-out": self._sign_out,
        }
        take = steps.get(browser.form.get("step", ""))
        if take is not None:
            return await take(browser, purpose)
        return browser.session.of(purpose.organisation_id) or await self._form(browser, purpose)

    async def _take_password(self, browser: BrowserRequest, purpose: Purpose) -> Response:
        email, password = browser.form.get("email", ""), browser.form.get("password", "")
        try:
            proof = await self.sign_in.by_password(purpose.organisation_id, email, password, address=browser.address)
        except TooManyAttempts as error:
            return await self._wait(browser, purpose, error, email=email)
        if proof is None:
            return await self._password_form(browser, purpose, problem=_WRONG, email=email)
        await browser.sign_in(proof.person, is_complete=not proof.owes_code)
        return browser.again()

    async def _take_code(self, browser: BrowserRequest, purpose: Purpose) -> Response:
        who = browser.session.pending
        if who is None:
            return browser.again()
        try:
            is_right = await self.sign_in.by_code(who, browser.form.get("code", ""), address=browser.address)
        except TooManyAttempts as error:
            return await self._wait(browser, purpose, error, email=who.email)
        if not is_right:
            return _code_form(browser, purpose, problem=_WRONG_CODE)
        await browser.sign_in(who)
        return browser.again()

    async def _sign_out(self, browser: BrowserRequest, _: Purpose) -> Response:
        await browser.sign_out()
        return browser.again()

    async def _form(self, browser: BrowserRequest, purpose: Purpose) -> Response:
        pending = browser.session.pending
        if pending is not None and pending.organisation_id == purpose.organisation_id:
            return _code_form(browser, purpose)
        return await self._password_form(browser, purpose)

    async def _password_form(
        self,
        browser: BrowserRequest,
        purpose: Purpose,
        *,
        problem: str | None = None,
        email: str = "",
        status: int = 200,
    ) -> Response:
        provider = None
        if await self.sign_in.has_identity_provider(purpose.organisation_id):
            query = {"organisation": purpose.organisation_id, "return_to": browser.here}
            provider = f"/saml/login?{urlencode(query)}"
        return browser.page(
            "sign_in",
            status=status,
            form_targets=purpose.form_targets,
            application=purpose.application,
            problem=problem,
            is_wrong=problem == _WRONG,  # too many attempts are not an error of the fields
            email=email[:MAX_EMAIL],  # a form of quotes alone would come back five times as long
            identity_provider=provider,
        )

    async def _wait(self, browser: BrowserRequest, purpose: Purpose, error: TooManyAttempts, *, email: str) -> Response:
        minutes = math.ceil(error.retry_after_s / 60)
        problem = f"Too many attempts. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
        response = await self._password_form(browser, purpose, problem=problem, email=email, status=429)
        response.headers["Retry-After"] = str(error.retry_after_s)
        return response


def _code_form(browser: BrowserRequest, purpose: Purpose, *, problem: str | None = None) -> Response:
    return browser.page("code", form_targets=purpose.form_targets, application=purpose.application, problem=problem)
