"""What a client authenticates with: exactly one set of credentials, from arguments and environment, or an assertion.

No message contains a secret.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import cast

import attrs

from redcore._base.operation import Operation
from redcore._base.values import UNSET
from redcore._call.arguments import ClientArguments
from redcore._spec import operations
from redcore._spec.models import TokenResponse
from redcore.exceptions import ArgumentError, ConfigurationError
from redcore.tokens.token_set import is_sendable

PLACEHOLDER = re.compile(
    r".*(…|\.{3}|\*{3}).*|<.*>|\[.*\]|\$\w+|\$?\{.*\}"
    r"|(rk_(live|test)_)?(your[-_ ]\w[-_ \w]*|x{3,}|change[-_ ]?me|placeholder)",
    re.IGNORECASE,
)
"""Placeholders of pasted examples: `rk_live_…`, `<api key>`, `${API_KEY}`, `rk_test_YOUR_KEY`."""


@attrs.frozen(kw_only=True)
class Credentials:
    """The credentials of a client. The repr shows no secret."""

    api_key: str | None = attrs.field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = attrs.field(default=None, repr=False)
    access_token: str | None = attrs.field(default=None, repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    scope: str | None = None
    personal: bool = False
    """Whether the tokens belong to a person who logged in: the application's own tokens must never replace them."""

    @property
    def can_ask_anew(self) -> bool:
        """Whether tokens can be requested without earlier tokens (RFC 6749 section 4.4)."""
        return self.client_id is not None and self.client_secret is not None and not self.personal

    def key(self, origin: str) -> str:
        """The key of these credentials in a token cache; it contains no secret."""
        started_with = self.refresh_token or self.access_token or ""
        parts = (origin, self.client_id or "", self.scope or "", started_with)
        return "redcore:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def credentials(given: ClientArguments, env: Mapping[str, str]) -> Credentials:
    """Select the single way to authenticate from arguments and environment.

    Raises:
        ConfigurationError: none or several are given, or a part is missing.
    """
    others = {
        "client_id": given.client_id,
        "client_secret": given.client_secret,
        "access_token": given.access_token,
        "refresh_token": given.refresh_token,
    }
    named = [name for name, value in others.items() if value is not None]
    if given.api_key is not None and named:
        raise ConfigurationError(f"give either api_key or {named[0]}, not both: a client speaks for one identity")
    if given.api_key is None and not named and env.get("REDCORE_API_KEY"):
        return Credentials(api_key=secret("REDCORE_API_KEY", env["REDCORE_API_KEY"]))
    if given.api_key is not None:
        return Credentials(api_key=secret("api_key", given.api_key))
    found = Credentials(
        client_id=from_either("client_id", given.client_id, env),
        client_secret=from_either("client_secret", given.client_secret, env),
        access_token=secret("access_token", given.access_token),
        refresh_token=secret("refresh_token", given.refresh_token),
        scope=given.scope,
    )
    if named == ["access_token"]:  # the application of the environment is another identity, which must not take over
        found = attrs.evolve(found, personal=found.can_ask_anew)
    if not (found.access_token or found.refresh_token or found.can_ask_anew):
        raise ConfigurationError(missing(found))
    return found


def application(given: ClientArguments, env: Mapping[str, str]) -> Credentials:
    """The application that people log in to; a secret of the environment is used only with its client id.

    Raises:
        ConfigurationError: it has no client id.
    """
    client_id = from_either("client_id", given.client_id, env)
    if client_id is None:
        raise ConfigurationError("client_id is missing: pass client_id= or set REDCORE_CLIENT_ID")
    is_from_env = client_id == env.get("REDCORE_CLIENT_ID")
    client_secret = from_either("client_secret", given.client_secret, env if is_from_env else {})
    return Credentials(client_id=client_id, client_secret=client_secret, personal=True)


def missing(found: Credentials) -> str:
    if found.client_id is not None:
        return "client_secret is missing: pass client_secret= or set REDCORE_CLIENT_SECRET"
    if found.client_secret is not None:
        return "client_id is missing: pass client_id= or set REDCORE_CLIENT_ID"
    return (
        "no credentials: pass api_key= or set REDCORE_API_KEY; or pass client_id= and client_secret= or set "
        "REDCORE_CLIENT_ID and REDCORE_CLIENT_SECRET; or pass access_token= or refresh_token="
    )


def from_either(name: str, value: str | None, env: Mapping[str, str]) -> str | None:
    variable = f"REDCORE_{name.upper()}"
    return secret(name, value) if value is not None else secret(variable, env.get(variable) or None)


def secret(name: str, value: str | None) -> str | None:
    """Validate a value to be sent in a header; the error message never contains it.

    Raises:
        ConfigurationError: it cannot be sent, or it is the placeholder of an example.
    """
    if value is not None and PLACEHOLDER.fullmatch(value):
        raise ConfigurationError(f"{name} is the placeholder of an example: put your own in its place")
    if value is not None and not is_sendable(value):
        raise ConfigurationError(f"{name} is empty or has characters that it cannot have, such as spaces or line ends")
    return value


def saml_bearer(assertion: str | bytes, scope: str | None) -> Operation[TokenResponse]:
    """Make the grant of RFC 7522 section 2.1 from the identity provider's unencoded XML.

    Raises:
        ArgumentError: the assertion is not XML, for example because it is already base64-encoded.
    """
    if not isinstance(cast("object", assertion), str | bytes | bytearray | memoryview):
        raise ArgumentError(f"assertion must be a string or bytes, not {type(assertion).__name__}")
    xml = assertion.encode() if isinstance(assertion, str) else bytes(assertion)
    if b"<" not in xml[:64]:
        raise ArgumentError("assertion must be the identity provider's XML as it is, not encoded: it has no `<`")
    return operations.auth_token(
        grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer",
        assertion=urlsafe_b64encode(xml).decode().rstrip("="),
        scope=scope or UNSET,
    )
