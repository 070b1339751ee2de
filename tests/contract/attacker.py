"""An attacker of OAuth, outside a running server."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlencode

import attrs
import httpx
from tests.contract.people import Application

from redcore.testing import ReferenceServer

EVIL = "https://evil.example.com/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@attrs.frozen
class Attacker:
    """Knows what an application and its operator know; sends what they never would."""

    server: ReferenceServer
    http: httpx.Client
    application: Application

    def request(self, **changes: str) -> str:
        """Return the URL of an authorization request; parameters changed to blank are left out."""
        request = {
            "response_type": "code",
            "client_id": self.application.id,
            "redirect_uri": self.application.redirect_uri,
            "scope": "users:read",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return f"/oauth/authorize?{urlencode({name: value for name, value in request.items() if value})}"

    def token(self, grant_type: str, *, by: Application | None = None, **form: str) -> httpx.Response:
        """Request tokens, as an application."""
        used = by or self.application
        data = {"grant_type": grant_type, **{name: value for name, value in form.items() if value}}
        return self.http.post(f"{self.server.origin}/oauth/token", data=data, auth=(used.id, used.secret or ""))

    def redeem(self, code: str, *, by: Application | None = None, **changes: str) -> httpx.Response:
        """Send a code to the token endpoint; parameters changed to blank are left out."""
        form = {"code": code, "redirect_uri": self.application.redirect_uri, "code_verifier": VERIFIER, **changes}
        return self.token("authorization_code", by=by, **form)

    def call(self, token: str) -> httpx.Response:
        """Use an access token."""
        return self.http.get(f"{self.server.base_url}/users", headers={"Authorization": f"Bearer {token}"})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code of RFC 6749."""
    return answer.status_code, answer.json()["error"]
