"""The device grant (RFC 8628): a device without a browser requests codes, shows one, and polls for its tokens.

The pages for the person are in `pages.device`.
"""

# Authlib's type stubs differ from its types at run time.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error, rfc8628
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidGrantError, InvalidRequestError, grants

from redcore_server.auth.credentials.applications import Application
from redcore_server.auth.oauth.device_store import DEVICE_CODE_S, INTERVAL_S, DeviceCodes, Outcome, Poll
from redcore_server.auth.oauth.greenlets import wait
from redcore_server.auth.oauth.scope import narrow
from redcore_server.auth.oauth.server import FormRequest, OAuthServer, Reply, TokenResponse, refusal

PAGE: Final = "/oauth/device"
ENDPOINT: Final = "/oauth/device_authorization"


def start_login(server: OAuthServer, codes: DeviceCodes, request: FormRequest) -> Reply:
    """Handle a device authorization request (RFC 8628 section 3.2).

    Args:
        server: The authorization server, to look up the client.
        codes: The store of device logins.
        request: Request of the device.
    """
    try:
        client = server.authenticate_client(request)
        scope = narrow(request.form.get("scope"), [client.scopes], server.scopes)
    except OAuth2Error as error:
        return refusal(error)
    device_code, user_code = wait(codes.add(client.id, scope, int(server.clock.time())))
    page = f"{server.tokens.issuer}{PAGE}"
    answer = {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code}",
        "expires_in": DEVICE_CODE_S,
        "interval": INTERVAL_S,
    }
    return Reply(200, answer, default_json_headers)


class DeadDeviceCodeError(InvalidGrantError):
    """The device code will never be accepted; the reason is not disclosed."""

    description = "The device code is unknown or used."


class DeviceCodeGrant(rfc8628.DeviceCodeGrant):
    """Polls in one atomic step, and consumes the code in another."""

    server: OAuthServer
    request: FormRequest
    codes: DeviceCodes
    application: Application
    presented: str
    approved: Poll

    def validate_token_request(self) -> None:
        """Authenticate the client and check for the approval.

        Raises:
            OAuth2Error: Pending, expired, denied or polled too fast (RFC 8628 section 3.5).
        """
        self.application = self.server.authenticate_client(self.request)
        if "device_code" not in self.request.form:
            raise InvalidRequestError("device_code is missing.")
        self.presented = self.request.form["device_code"]
        poll = wait(self.codes.poll(self.presented, self.application.id, self.server.clock.time()))
        if poll.outcome in _REFUSALS:
            raise _REFUSALS[poll.outcome]
        self.approved = poll

    def create_token_response(self) -> TokenResponse:
        """Issue the tokens; of several polls at once exactly one gets them."""
        poll = self.approved
        issue = self.server.issuer.issue
        response = wait(
            issue(self.application, subject=poll.user_id, owner_id=poll.user_id, scope=poll.scope, claim=self._claim)
        )
        if response is None:
            raise DeadDeviceCodeError
        return 200, response, default_json_headers

    async def _claim(self, _grant_id: str) -> bool:
        return await self.codes.use(self.presented, self.server.clock.time())


def keep_device_codes(codes: DeviceCodes) -> Callable[[grants.BaseGrant], None]:
    """Return the extension that gives each grant the login store; Authlib creates the grants itself.

    Args:
        codes: The store of device logins.
    """

    def extend(grant: grants.BaseGrant) -> None:
        cast("DeviceCodeGrant", grant).codes = codes

    return extend


_REFUSALS: Final[Mapping[Outcome, type[OAuth2Error]]] = {
    "unknown": DeadDeviceCodeError,
    "expired": rfc8628.ExpiredTokenError,
    "denied": AccessDeniedError,
    "too fast": rfc8628.SlowDownError,
    "pending": rfc8628.AuthorizationPendingError,
}
