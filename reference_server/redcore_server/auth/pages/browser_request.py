"""One browser request: its session, its CSRF-checked form, and the responses that carry both.

Forms are bound to the session by a token, and to our own pages by the `Origin` header. Errors become pages.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

import attrs
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from redcore_server.auth.oauth.forms import read_form
from redcore_server.auth.pages.problem import BY_STATUS, FOREIGN_FORM, NO_COOKIE, PageProblem
from redcore_server.auth.pages.render import render
from redcore_server.auth.people.person import Person
from redcore_server.auth.people.sessions import Session, Sessions
from redcore_server.auth.routes import Handler
from redcore_server.errors import ApiError
from redcore_server.http.addresses import counted_address
from redcore_server.http.context import REQUEST_ID
from redcore_server.http.cookies import cookie
from redcore_server.http.render_error import respond, status_of

COOKIE: Final = "redcore_session"
_MAX_PARAMETERS: Final = 50  # no page has three; as many as the API takes, each costs time


@attrs.define(kw_only=True)
class BrowserRequest:
    """A request of a browser.

    Attributes:
        request: The request; its body has been read.
        form: Form of a POST, each parameter once; empty for a GET.
        session: Who is signed in; `sign_in` and `sign_out` replace it.
        sessions: Store of all browser sessions.
    """

    request: Request
    form: Mapping[str, str] = attrs.field(factory=dict[str, str])
    session: Session
    sessions: Sessions

    @property
    def here(self) -> str:
        """Path and query of this request, safe for a redirect."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def query(self) -> Mapping[str, str]:
        """Parameters of the query; the last one of a name.

        Raises:
            PageProblem: There are too many.
        """
        text: str = self.request.scope["query_string"].decode("latin-1")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS))
        except ValueError:
            raise BY_STATUS[400] from None

    @property
    def address(self) -> str:
        """The client's address, in the form that rate limits count."""
        return counted_address(self.request.scope)

    async def sign_in(self, person: Person, *, is_complete: bool = True) -> None:
        """Sign in a person under a new session id.

        Args:
            person: The authenticated person.
            is_complete: False while the second factor is missing.
        """
        self.session = await self.sessions.start(self.session, person, is_complete=is_complete)

    async def sign_out(self) -> None:
        """End the session, on the server and in the browser."""
        self.session = await self.sessions.end(self.session)

    async def is_signed_in(self) -> bool:
        """Return whether the session still stands: a lockout may have ended it while the request was handled."""
        return (await self.sessions.load(self.session.id)).person is not None

    def page(
        self, template: str, *, status: int = 200, form_targets: Iterable[str] = (), **values: object
    ) -> HTMLResponse:
        """Return a page; its forms contain the CSRF token of this session.

        Args:
            template: File name without `.html`.
            status: HTTP status of the response.
            form_targets: See `render`.
            values: Values for the template.
        """
        known = {"csrf": csrf_token(self.session), "person": self.session.person}
        return render(template, status=status, form_targets=form_targets, values={**known, **values})

    def again(self) -> Response:
        """Redirect to the same URL with GET, so that a reload does not resubmit the form."""
        return RedirectResponse(self.here, 302)


@attrs.frozen(kw_only=True)
class Browsers:
    """Creates handlers for pages.

    Attributes:
        origin: Public origin of the server; forms must come from it.
        sessions: Store of browser sessions.
    """

    origin: str
    sessions: Sessions

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix makes browsers reject one set by another host (RFC 6265bis section 4.1.3)."""
        return f"__Host-{COOKIE}" if self.is_secure else COOKIE

    @property
    def is_secure(self) -> bool:
        """Whether browsers use TLS."""
        return self.origin.startswith("https:")

    def handler(self, answer: Callable[[BrowserRequest], Awaitable[Response]], *, is_guarded: bool = True) -> Handler:
        """Return a handler that wraps each request, and maintains the session cookie.

        Args:
            answer: The handler; a `PageProblem` it raises becomes a page.
            is_guarded: False for forms posted by another site, which need another proof of origin.
        """

        async def handle(request: Request) -> Response:
            presented = cookie(request, self.cookie)
            session: Session | None = None
            try:
                browser = BrowserRequest(
                    request=request, session=await self.sessions.load(presented), sessions=self.sessions
                )
                if request.method == "POST":
                    browser.form = await (self._own_form(request, browser) if is_guarded else _form(request))
                response = await answer(browser)
                session = browser.session
            except _StaleForm as stale:
                response = stale.browser.again()
            except Exception as error:  # noqa: BLE001 - the edge: every error becomes a page
                response = problem_page(error, REQUEST_ID.find(request.scope) or "")
            if session is not None and session.id != presented:
                self.keep(session, response)
            return response

        return handle

    def keep(self, session: Session, response: Response) -> None:
        """Set the session cookie, which lasts until the browser is closed.

        Args:
            session: Session of the cookie.
            response: Response that sets the cookie.
        """
        # Over plain HTTP, only some browsers keep a `Secure` cookie, and only for loopback hosts.
        response.set_cookie(self.cookie, session.id, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    async def _own_form(self, request: Request, browser: BrowserRequest) -> Mapping[str, str]:
        origin = request.headers.get("Origin")
        if origin is not None and origin != self.origin:
            raise FOREIGN_FORM
        form = await _form(request)
        if not hmac.compare_digest(form.pop("csrf", "").encode(), csrf_token(browser.session).encode()):
            if cookie(request, self.cookie) is None:
                raise NO_COOKIE
            raise _StaleForm(browser)
        return form


@attrs.frozen
class _StaleForm(Exception):  # noqa: N818 - names what came
    """A form of another session: from a second tab, the back button, or a page left open too long.

    The form is ignored; the browser is redirected to the page.
    """

    browser: BrowserRequest


async def _form(request: Request) -> dict[str, str]:
    try:
        return await read_form(request)
    except OAuth2Error:
        raise BY_STATUS[400] from None


def csrf_token(session: Session) -> str:
    """Return the CSRF token of a session; it reveals nothing about the session id it is derived from.

    Args:
        session: A session, signed in or anonymous.
    """
    return hmac.digest(session.id.encode(), b"csrf", hashlib.sha256).hex()


def problem_page(error: Exception, request_id: str) -> Response:
    """Return an error as a page.

    Args:
        error: Exception raised by a handler.
        request_id: UUID of the request.
    """
    if isinstance(error, PageProblem):
        return _page_of(error, request_id)
    return respond(error, request_id, _page)  # this logs unexpected errors


def _page(error: ApiError, request_id: str) -> Response:
    status = status_of(error)
    problem = BY_STATUS.get(status) or attrs.evolve(BY_STATUS[400], status=status)
    page = _page_of(problem, request_id)
    page.headers.update(error.headers)
    return page


def _page_of(problem: PageProblem, request_id: str) -> Response:
    values = {"title": problem.title, "message": problem.message, "request_id": request_id, "person": None}
    return render("problem", status=problem.status, values=values)
