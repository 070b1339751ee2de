"""The authorization code grant (RFC 6749 section 4.1) with mandatory PKCE S256 (RFC 7636).

Authlib checks the requests of both endpoints. This module knows neither pages nor sessions: it is given the person who
consented.
"""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

import attrs
import structlog
from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth.code_store import Code, Codes
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.oauth.scope import narrow
from redcore_server.auth.oauth.server import FormRequest, OAuthServer, QueryRequest, TokenResponse
from redcore_server.auth.people.person import Person
from redcore_server.auth.secret import new_secret

_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_log = structlog.stdlib.get_logger("redcore_server.auth")


@attrs.frozen
class Consent:
    """A person's consent and its scope."""

    person: Person
    scope: str


class Pkce(CodeChallenge):
    """PKCE for every client, S256 only: a `plain` challenge reveals the verifier to anyone who sees the request."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - as Authlib has it
    CODE_CHALLENGE_METHODS = {"S256": compare_s256_code_challenge}  # noqa: RUF012 - as above

    def validate_code_challenge(self, grant: AuthorizationCodeGrant, _: str | None) -> None:
        """Reject a request without a valid S256 challenge."""
        parameters = grant.request.payload.data
        if "code_challenge" not in parameters:
            raise InvalidRequestError("PKCE is needed: send code_challenge and code_challenge_method=S256 (RFC 7636).")
        if parameters.get("code_challenge_method") != "S256":  # absent means `plain`
            raise InvalidRequestError("code_challenge_method must be S256.")
        if not _S256.fullmatch(parameters.get("code_challenge", "")):
            raise InvalidRequestError("code_challenge must be the BASE64URL of a SHA-256 digest.")


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    """Codes in Redis, used in one atomic step; a second use ends the grant issued for the first."""

    server: OAuthServer
    request: FormRequest | QueryRequest
    codes: Codes
    scope: str

    # The authorization endpoint.

    def validate_requested_scope(self) -> None:
        """Narrow the scope to what the application may request."""
        client = self.server.query_client(self.request.payload.client_id)
        scopes = client.scopes if client else ()
        self.scope = narrow(self.request.payload.scope, [scopes], self.server.scopes)

    def generate_authorization_code(self) -> str:
        """Return 256 random bits."""
        return new_secret()

    def save_authorization_code(self, code: str, request: QueryRequest) -> None:
        """Store the code with the person's consent."""
        consent, payload = cast("Consent", request.user), request.payload
        kept = Code(
            client_id=payload.client_id,
            user_id=consent.person.id,
            redirect_uri=payload.redirect_uri or "",
            scope=consent.scope,
            code_challenge=payload.data["code_challenge"],
        )
        wait(self.codes.add(code, kept, int(self.server.clock.time())))

    # The token endpoint.

    def query_authorization_code(self, code: str, client: Application) -> Code | None:
        """Return the data of a code of this client; a used code ends its grant."""
        found = wait(self.codes.find(code))
        if found is None or found.client_id != client.id:
            return None
        if found.grant_id:
            wait(self._end(found.grant_id))
            return None
        return found

    def create_token_response(self) -> TokenResponse:
        """Issue the tokens; of several requests with one code exactly one gets them."""
        code, client = cast("Code", self.request.authorization_code), cast("Application", self.request.client)
        issue = self.server.issuer.issue
        response = wait(issue(client, subject=code.user_id, owner_id=code.user_id, scope=code.scope, claim=self._claim))
        if response is None:
            raise InvalidGrantError("Invalid 'code' in request.")
        return 200, response, default_json_headers

    async def _claim(self, grant_id: str) -> bool:
        text = cast("FormRequest", self.request).form["code"]
        used_for = await self.codes.redeem(text, grant_id, int(self.server.clock.time()))
        if used_for is not None and used_for != grant_id:
            await self._end(used_for)
        return used_for == grant_id

    async def _end(self, grant_id: str) -> None:
        _log.warning("authorization code reused, its tokens revoked", grant_id=grant_id)
        await self.server.grants.remove(grant_id)


def keep_codes(codes: Codes) -> Callable[[grants.BaseGrant], None]:
    """Return the extension that gives each grant the code store; Authlib creates the grants itself.

    Args:
        codes: The code store.
    """

    def extend(grant: grants.BaseGrant) -> None:
        cast("AuthorizationCodeGrant", grant).codes = codes

    return extend
