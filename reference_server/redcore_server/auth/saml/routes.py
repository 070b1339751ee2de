"""The endpoints of the SAML service provider: `/saml/metadata.xml`, `/saml/login`, `/saml/acs`.

A person is sent to the identity provider of their organisation and returns signed in, to the page that required the
sign-in. Unsolicited responses are rejected: with them an attacker could sign a victim in as another person.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, Literal, TypedDict

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from redcore_server.auth.pages.browser_request import BrowserRequest
from redcore_server.auth.pages.context import ServiceContext
from redcore_server.auth.pages.problem import PageProblem
from redcore_server.auth.people.person import Person
from redcore_server.auth.routes import Routes
from redcore_server.auth.saml.consumer import AssertionConsumer, Statement, telling_why
from redcore_server.auth.saml.grant import SamlBearerGrant, accept_with
from redcore_server.auth.saml.identity_providers import IdentityProviders
from redcore_server.auth.saml.login_requests import LoginRequest, LoginRequests
from redcore_server.auth.saml.refusal import AssertionRefused
from redcore_server.auth.saml.service_provider import ServiceProvider
from redcore_server.auth.secret import new_secret
from redcore_server.http.cookies import cookie

COOKIE: Final = "redcore_saml"
_RETURN_TO: Final = re.compile(r"/oauth/(authorize|device)(\?[!-~]{0,8000})?", re.ASCII)
"""Pages a sign-in may return to: our own pages that require a sign-in, at a length that all HTTP software must take
(RFC 9110 section 4.1), because the address is stored for anyone who asks."""

_REFUSED: Final = PageProblem(
    "You could not be signed in",
    "The answer of your organisation's identity provider was not accepted. Go back to your application and start "
    "again; if that does not help, ask an administrator of your organisation.",
)
_NO_PROVIDER: Final = PageProblem(
    "There is no identity provider",
    "Your organisation does not sign in with SAML here. Sign in with your password, or ask an administrator.",
    404,
)
_NO_PAGE: Final = PageProblem("Something is wrong with this request", "Go back and start again from your application.")


def routes(context: ServiceContext) -> Routes:
    """Return the routes, and enable assertions at the token endpoint.

    Args:
        context: Components of the running service.
    """
    consumer = AssertionConsumer(
        addresses=ServiceProvider(context.issuer),
        providers=IdentityProviders(context.pool),
        pool=context.stores.postgres,
        clock=context.clock,
    )
    requests = LoginRequests(context.stores.redis, context.clock)
    browser = _BrowserLogin(consumer=consumer, requests=requests, is_secure=context.browsers.is_secure)

    context.server.register_grant(SamlBearerGrant, [accept_with(consumer)])

    async def metadata(request: Request) -> Response:
        xml = await run_in_threadpool(consumer.addresses.metadata)
        return Response(xml, media_type=_metadata_type(request.headers.get("Accept", "")))

    return {
        "/saml/metadata.xml": {"GET": metadata},
        "/saml/login": {"GET": context.browsers.handler(browser.login)},
        "/saml/acs": {"POST": context.browsers.handler(browser.take_answer, is_guarded=False)},
    }


class CookieAttributes(TypedDict):
    """Attributes of a cookie, as Starlette names them."""

    path: str
    secure: bool
    httponly: bool
    samesite: Literal["none"] | None


@attrs.frozen(kw_only=True)
class _BrowserLogin:
    """The web browser profile (SAML profiles section 4.1), started by the service provider."""

    consumer: AssertionConsumer
    requests: LoginRequests
    is_secure: bool

    @property
    def _cookie(self) -> str:
        return f"__Host-{COOKIE}" if self.is_secure else COOKIE

    @property
    def _attributes(self) -> CookieAttributes:
        return cookie_attributes(is_secure=self.is_secure)

    async def login(self, browser: BrowserRequest) -> Response:
        """Send the browser to the identity provider."""
        query = browser.query
        organisation_id, return_to = query.get("organisation"), query.get("return_to")
        if return_to is not None and not _RETURN_TO.fullmatch(return_to):
            raise _NO_PAGE
        provider = await run_in_threadpool(self.consumer.providers.of_organisation, organisation_id)
        if provider is None:
            raise _NO_PROVIDER
        request_id, address = await run_in_threadpool(self.consumer.addresses.login, provider)
        secret = new_secret()
        await self.requests.add(request_id, LoginRequest(issuer=provider.entity_id, return_to=return_to), secret)
        response = RedirectResponse(address, 302)
        response.set_cookie(self._cookie, secret, **self._attributes)
        return response

    async def take_answer(self, browser: BrowserRequest) -> Response:
        """Sign in the person named in the response.

        `RelayState` is ignored: the return address is stored with the request.
        """
        try:
            with telling_why("browser"):
                person, request = await self._accept(browser)
        except AssertionRefused:
            raise _REFUSED from None
        await browser.sign_in(person)
        response = RedirectResponse(request.return_to, 302) if request.return_to else browser.page("signed_in")
        response.delete_cookie(self._cookie, **self._attributes)
        return response

    async def _accept(self, browser: BrowserRequest) -> tuple[Person, LoginRequest]:
        xml = _decoded(browser.form.get("SAMLResponse", ""))
        statement = await run_in_threadpool(self.consumer.examine, xml, "browser")
        request = await self._request(statement, cookie(browser.request, self._cookie) or "")
        person = await self.consumer.subject(statement)
        await self.consumer.use(statement, person)
        return person, request

    async def _request(self, statement: Statement, browser: str) -> LoginRequest:
        request = await self.requests.take(statement.in_response_to or "", browser)
        if request is None or request.issuer != statement.provider.entity_id:
            raise AssertionRefused("it answers no request of this browser")
        return request


def cookie_attributes(*, is_secure: bool) -> CookieAttributes:
    """Return the attributes of the cookie that must come back with the form of the identity provider's site.

    A stricter `SameSite` would not be sent with it, and browsers keep `SameSite=None` over TLS only. Over plain HTTP it
    is left out: browsers send such a cookie with a form of another site for the first two minutes.

    Args:
        is_secure: Whether browsers use TLS.
    """
    return {"path": "/", "secure": is_secure, "httponly": True, "samesite": "none" if is_secure else None}


def _decoded(response: str) -> bytes:
    """Return the XML of the form's field (SAML bindings section 3.5.4: base64, in lines or not)."""
    try:
        return base64.b64decode("".join(response.split()), validate=True)
    except (binascii.Error, ValueError):
        raise AssertionRefused("it is not base64") from None


def _metadata_type(accept: str) -> str:
    """Return the registered type (SAML metadata, appendix A), or `text/xml` for a client that does not accept it."""
    return "text/xml" if accept.partition(";")[0].strip().lower() == "text/xml" else "application/samlmetadata+xml"
