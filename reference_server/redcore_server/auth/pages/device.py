"""The page on which a person enters the code that a device shows, signs in, and decides (RFC 8628 section 3.3).

Codes are short enough to guess, so wrong ones are counted, per browser and per address. A correct one is not counted,
or signing in on the page would use up the attempts.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable
from functools import partial
from typing import Final
from urllib.parse import urlencode

import attrs
from starlette.responses import RedirectResponse, Response

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth.device_grant import ENDPOINT, PAGE, DeviceCodeGrant, keep_device_codes, start_login
from redcore_server.auth.oauth.device_store import Device, DeviceCodes, end_approvals, shown
from redcore_server.auth.oauth.handler import answering
from redcore_server.auth.pages.browser_request import BrowserRequest
from redcore_server.auth.pages.context import ServiceContext
from redcore_server.auth.pages.sign_in import Purpose
from redcore_server.auth.people.login_throttle import Attempts, TooManyAttempts
from redcore_server.auth.people.person import Person
from redcore_server.auth.people.role import role_ceiling
from redcore_server.auth.routes import Routes

_WRONG: Final = "That code is not right, was used, or is too old. Look at your device again."


def routes(context: ServiceContext) -> Routes:
    """Return the routes of the device login, and register its grant.

    Args:
        context: Components of the service.
    """
    codes = DeviceCodes(context.stores)
    context.server.register_grant(DeviceCodeGrant, [keep_device_codes(codes)])
    pages = _DevicePages(context, codes, Attempts(context.stores.redis, context.clock, "device"))
    page = context.browsers.handler(pages.answer)
    start = answering(partial(start_login, context.server, codes))
    return {ENDPOINT: {"POST": start}, PAGE: {"GET": page, "POST": page}}


@attrs.frozen
class _Asked:
    """A login that can be shown to a person."""

    device: Device
    client: Application


@attrs.frozen
class _DevicePages:
    context: ServiceContext
    codes: DeviceCodes
    attempts: Attempts

    async def answer(self, browser: BrowserRequest) -> Response:
        if browser.form.get("step") == "device":
            typed = shown(browser.form.get("user_code", ""))
            return RedirectResponse(f"{PAGE}?{urlencode({'user_code': typed})}", 302)
        typed = browser.query.get("user_code", "")
        if not typed:
            return browser.page("device", problem=None)
        try:
            asked = await self._found(browser, typed)
        except TooManyAttempts as error:
            return _wait(browser, error)
        if asked is None:
            return browser.page("device", status=400, problem=_WRONG)
        who = await self.context.sign_in.require(browser, _purpose(asked.client))
        return who if isinstance(who, Response) else await self._decide(browser, asked, who)

    async def _found(self, browser: BrowserRequest, typed: str) -> _Asked | None:
        # Counted before it is checked, so that concurrent guesses cannot exceed the limit.
        account, address = browser.session.id, browser.address
        await self.attempts.spend(account=account, address=address)
        asked = await self._find(typed)
        if asked is not None:
            await self.attempts.refund(account=account, address=address)
        return asked

    async def _find(self, typed: str) -> _Asked | None:
        device = await self.codes.find(typed, self.context.clock.time())
        client = await self.context.applications.find(device.client_id) if device else None
        return _Asked(device, client) if device and client else None

    async def _decide(self, browser: BrowserRequest, asked: _Asked, who: Person) -> Response:
        scope = " ".join(
            sorted(set(asked.device.scope.split()) & role_ceiling(who.role, frozenset(self.context.scopes)))
        )
        decision = browser.form.get("decision") if browser.form.get("step") == "device-consent" else None
        if decision == "deny":
            deny = self.codes.deny(asked.device, self.context.clock.time())
            return await self._done(browser, asked, deny, is_allowed=False)
        # Grant exactly what was shown, even if more would be allowed by now.
        if decision == "allow" and scope and browser.form.get("scope") == scope:
            return await self._done(browser, asked, self._approve(browser, asked, who, scope), is_allowed=True)
        return browser.page(
            "device_consent",
            application=asked.client.name,
            user_code=asked.device.user_code,
            scope=scope,
            meanings=[self.context.scopes[name] for name in scope.split()],
        )

    async def _approve(self, browser: BrowserRequest, asked: _Asked, who: Person, scope: str) -> bool:
        is_approved = await self.codes.approve(asked.device, who.id, scope, self.context.clock.time())
        # A lockout ends sessions first and approvals afterwards; see `authorize`.
        if not await browser.is_signed_in():
            await end_approvals(self.context.stores, who.id)
            return False
        return is_approved

    async def _done(
        self, browser: BrowserRequest, asked: _Asked, settle: Awaitable[bool], *, is_allowed: bool
    ) -> Response:
        if not await settle:  # decided by another request meanwhile
            return browser.page("device", status=400, problem=_WRONG)
        return browser.page("device_done", application=asked.client.name, is_allowed=is_allowed)


def _purpose(client: Application) -> Purpose:
    return Purpose(organisation_id=client.organisation_id, application=client.name)


def _wait(browser: BrowserRequest, error: TooManyAttempts) -> Response:
    minutes = math.ceil(error.retry_after_s / 60)
    problem = f"Too many wrong codes. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
    response = browser.page("device", status=429, problem=problem)
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response
