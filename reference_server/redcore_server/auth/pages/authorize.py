"""The authorization endpoint: checks the request, requires a sign-in, asks for consent, redirects the browser back.

A request without a known application and one of its redirect URIs is answered with a page; only otherwise may errors be
sent to the application (RFC 6749 section 4.1.2.1). Consent is asked each time: it protects a signed-in person from any
program that opens this URL.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

import attrs
from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from starlette.responses import RedirectResponse, Response

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth import greenlets
from redcore_server.auth.oauth.authorization_code import AuthorizationCodeGrant, Consent, Pkce, keep_codes
from redcore_server.auth.oauth.code_store import Codes, end_codes
from redcore_server.auth.oauth.server import QueryRequest, address_of
from redcore_server.auth.pages.browser_request import BrowserRequest
from redcore_server.auth.pages.context import ServiceContext
from redcore_server.auth.pages.problem import PageProblem
from redcore_server.auth.pages.sign_in import Purpose
from redcore_server.auth.people.person import Person
from redcore_server.auth.people.role import role_ceiling
from redcore_server.auth.routes import Routes
from redcore_server.settings import LOOPBACK_HOSTS

_PLAIN: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")  # RFC 6749 appendix A.6
_KNOWN: Final = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
# As all HTTP software must take (RFC 9110 section 4.1): a state comes back three times as long where it is encoded.
_MAX_QUERY: Final = 8000
_UNUSABLE: Final = PageProblem(
    "This sign-in link is not valid",
    "The application that sent you here is unknown, or asked to send you back to an address that is not its own. "
    "Nothing was shared with it. Tell the people who run it.",
)


def routes(context: ServiceContext) -> Routes:
    """Return the authorization endpoint, and register its grant.

    Args:
        context: Components of the service.
    """
    context.server.register_grant(AuthorizationCodeGrant, [Pkce(), keep_codes(Codes(context.stores))])
    handler = context.browsers.handler(_Authorize(context).answer)
    return {"/oauth/authorize": {"GET": handler, "POST": handler}}


@attrs.frozen
class _Asked:
    """A request that can be shown to a person."""

    request: QueryRequest
    grant: AuthorizationCodeGrant
    client: Application
    redirect_uri: str


@attrs.frozen
class _Authorize:
    context: ServiceContext

    async def answer(self, browser: BrowserRequest) -> Response:
        request = QueryRequest(_parameters(browser.request.url.query))
        try:
            asked = await greenlets.run(partial(self._check, request))
        except OAuth2Error as error:
            return self._refuse(error)
        purpose = Purpose(
            organisation_id=asked.client.organisation_id,
            application=asked.client.name,
            form_targets=(asked.redirect_uri,),
        )
        who = await self.context.sign_in.require(browser, purpose)
        if isinstance(who, Response):
            return who
        return await self._decide(browser, asked, who)

    def _check(self, request: QueryRequest) -> _Asked:
        client = self.context.server.query_client(request.payload.client_id or "")
        # Before Authlib, whose messages would quote an unregistered address.
        if client is None or not _is_known(request, client):
            raise _UNUSABLE
        grant = cast("AuthorizationCodeGrant", self.context.server.check_authorization(request))
        return _Asked(request, grant, client, cast("str", grant.redirect_uri))

    async def _decide(self, browser: BrowserRequest, asked: _Asked, who: Person) -> Response:
        scope = " ".join(
            sorted(set(asked.grant.scope.split()) & role_ceiling(who.role, frozenset(self.context.scopes)))
        )
        decision = browser.form.get("decision") if browser.form.get("step") == "consent" else None
        if decision == "deny":
            return await self._finish(asked, None)
        # Grant exactly what was shown, even if more would be allowed by now.
        if decision == "allow" and scope and browser.form.get("scope") == scope:
            return await self._allow(browser, asked, Consent(who, scope))
        return browser.page(
            "consent",
            form_targets=[asked.redirect_uri],
            application=asked.client.name,
            destination=_destination(asked.redirect_uri),
            scope=scope,
            meanings=[self.context.scopes[name] for name in scope.split()],
        )

    async def _allow(self, browser: BrowserRequest, asked: _Asked, consent: Consent) -> Response:
        answer = await self._finish(asked, consent)
        # A lockout ends sessions first and codes afterwards. Here the code was written first and the session is read
        # afterwards: in any order, one of the two sees the other.
        if not await browser.is_signed_in():
            await end_codes(self.context.stores, consent.person.id)
            return browser.again()
        return answer

    async def _finish(self, asked: _Asked, consent: Consent | None) -> Response:
        answer = partial(self.context.server.answer_authorization, asked.request, asked.grant, consent)
        return self._back(await greenlets.run(answer))

    def _refuse(self, error: OAuth2Error) -> Response:
        if not error.redirect_uri:
            raise _UNUSABLE from None
        return self._back(address_of(error))

    def _back(self, location: str) -> Response:
        # RFC 9207: tells the application which server answers.
        return RedirectResponse(add_params_to_uri(location, [("iss", self.context.issuer)]), 302)


def _is_known(request: QueryRequest, client: Application) -> bool:
    """Return whether there is a valid redirect URI to report errors to."""
    requested = request.payload.redirect_uri
    return client.check_redirect_uri(requested) if requested else client.get_default_redirect_uri() is not None


def _parameters(query: str) -> dict[str, str]:
    """Return the query parameters of the endpoint, each once; others are ignored (RFC 6749 section 3.1).

    Raises:
        PageProblem: They are ambiguous, too long, or contain characters not allowed in an error message that quotes
            them.
    """
    if len(query) > _MAX_QUERY:
        raise _UNUSABLE
    pairs = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name in _KNOWN]
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise _UNUSABLE
    if not all(_PLAIN.fullmatch(value) for name, value in pairs if name != "state"):
        raise _UNUSABLE
    if "\N{REPLACEMENT CHARACTER}" in parameters.get("state", ""):  # it was not UTF-8, and must be returned unchanged
        raise _UNUSABLE
    return parameters


def _destination(redirect_uri: str) -> str:
    """Return the target of a redirect URI for display: its host, or a private-use scheme (RFC 8252)."""
    parts = urlsplit(redirect_uri)
    if parts.hostname in LOOPBACK_HOSTS:
        return f"a program on this computer ({parts.hostname})"
    return parts.hostname or f"the app that opens {parts.scheme}: links"
