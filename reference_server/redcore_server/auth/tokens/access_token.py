"""Access tokens: JWTs of RFC 9068, signed with RS256, written and read.

Pure: keys and time are given. A valid token may still be revoked; the verifier checks in Redis whether its grant
exists.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import attrs
from joserfc import jws, jwt
from joserfc.errors import JoseError

from redcore_server.auth.lifetimes import ACCESS_TOKEN_S
from redcore_server.auth.tokens.signing_keys import Keyring
from redcore_server.errors import InvalidToken, TokenExpired

_ALGORITHMS: Final = ["RS256"]
_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})  # RFC 9068 section 4
_MAX_CHARACTERS: Final = 8192  # ours have about 1,000; a head may hold much longer ones, which cost time
_TEXT_CLAIMS: Final = ("sub", "client_id", "jti", "scope", "org", "gid", "plan")


class UnknownKey(InvalidToken):
    """The token names a key that is not in this keyring; a newer keyring might have it."""


@attrs.frozen(kw_only=True)
class AccessToken:
    """The claims of a token; they are not secret."""

    jti: str
    grant_id: str
    client_id: str
    subject: str
    organisation_id: str
    plan: str
    scope: str
    issued_at: int
    expires_at: int


@attrs.frozen
class AccessTokens:
    """Writes and reads the tokens of one issuer for one API.

    Attributes:
        issuer: The OAuth origin.
        audience: The API's base URL.
    """

    issuer: str
    audience: str

    def sign(self, token: AccessToken, ring: Keyring, now: datetime) -> str:
        """Return the token as a compact JWT.

        Args:
            token: Content of the token.
            ring: Keyring with the signing key.
            now: Current time of the server's clock; selects the key.
        """
        signer = ring.signer(now)
        header = {"typ": "at+jwt", "alg": "RS256", "kid": signer.kid}
        return jwt.encode(header, self.claims(token), signer.key, algorithms=_ALGORITHMS)

    def claims(self, token: AccessToken) -> dict[str, Any]:
        """Return the claims of RFC 9068 section 2.2 and our own: `org`, `gid`, `plan`.

        Args:
            token: Content of the token.
        """
        return {
            "iss": self.issuer,
            "sub": token.subject,
            "aud": self.audience,
            "exp": token.expires_at,
            "iat": token.issued_at,
            "jti": token.jti,
            "client_id": token.client_id,
            "scope": token.scope,
            "org": token.organisation_id,
            "gid": token.grant_id,
            "plan": token.plan,
        }

    def read(self, text: str, ring: Keyring, now: datetime) -> AccessToken:
        """Return the content of a token, if it is ours and not expired.

        Args:
            text: A compact JWT; may be any text.
            ring: Keyring for verification.
            now: Current time of the server's clock.

        Raises:
            UnknownKey: Its key is not in the ring.
            InvalidToken: Malformed, of another type, issuer or audience, or with a wrong signature.
            TokenExpired: The token is ours but has expired.
        """
        claims = self._verified(text, ring, now)
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise _invalid()
        expires_at, issued_at = claims.get("exp"), claims.get("iat")
        if not isinstance(expires_at, int) or not isinstance(issued_at, int):
            raise _invalid()
        if not all(isinstance(claims.get(name), str) for name in _TEXT_CLAIMS):
            raise _invalid()
        token = AccessToken(
            jti=claims["jti"],
            grant_id=claims["gid"],
            client_id=claims["client_id"],
            subject=claims["sub"],
            organisation_id=claims["org"],
            plan=claims["plan"],
            scope=claims["scope"],
            issued_at=issued_at,
            expires_at=expires_at,
        )
        require_living(token, now)
        return token

    def _verified(self, text: str, ring: Keyring, now: datetime) -> dict[str, Any]:
        """Return the claims of a token with a valid header and signature."""
        if len(text) > _MAX_CHARACTERS or not text.isascii():
            raise _invalid()
        try:
            # The header is read first to find the key; nothing in it is trusted except the key id.
            header = jws.extract_compact(text.encode()).headers()
            key = ring.find(header.get("kid"), now)
            if header.get("typ") not in _TYPES:
                raise _invalid()
            if key is None:
                raise UnknownKey("The access token is not valid.")
            return jwt.decode(text, key, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            # The cause would quote parts of the token.
            raise _invalid() from None


def require_living(token: AccessToken, now: datetime) -> None:
    """Reject an expired token.

    Args:
        token: A verified access token.
        now: Current time of the server's clock.

    Raises:
        TokenExpired: The token has expired.
    """
    if now.timestamp() >= token.expires_at:
        raise TokenExpired("The access token has expired.")


def expiry(now: int) -> int:
    """Return the expiry of an access token created now.

    Args:
        now: Current time in Unix seconds, from the server's clock.
    """
    return now + ACCESS_TOKEN_S


def _invalid() -> InvalidToken:
    return InvalidToken("The access token is not valid.")
