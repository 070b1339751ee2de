"""A mobile app's login, such as one made with BeeWare or Kivy, by PKCE.

Register the app as a public application with `CALLBACK` as its redirect URI, and claim
that link: a universal link on iOS, an app link on Android (RFC 8252 section 7.2).
The app has no secret, because its users could read one.
"""

import json
import os
import webbrowser
from pathlib import Path

from redcore import Client, TokenSet, login

CALLBACK = "https://app.example.com/back"
CLIENT_ID = os.environ["REDCORE_CLIENT_ID"]


class Session:
    """The login of the person who holds the phone.

    Args:
        folder: The app's private folder; on a phone, better its secure storage.
    """

    def __init__(self, folder: Path) -> None:
        self._pending = folder / "login.json"
        self._tokens = folder / "tokens.json"

    def begin(self) -> None:
        """Open the browser; the request is stored, as the app may end meanwhile."""
        request = login.authorization_request(
            client_id=CLIENT_ID, redirect_uri=CALLBACK, scope="profile:read"
        )
        self._pending.write_text(json.dumps(request.as_dict()))
        webbrowser.open(request.url)

    def finish(self, link: str) -> None:
        """Exchange the code of the link that the app was opened with for tokens."""
        request = login.AuthorizationRequest(**json.loads(self._pending.read_text()))
        tokens = login.exchange_code(request, link)
        self._pending.unlink()
        self._store(tokens.as_dict())

    def client(self) -> Client:
        """Return a client for the person, also after a restart of the app."""
        tokens = TokenSet(**json.loads(self._tokens.read_text()))
        return Client.from_tokens(
            tokens, client_id=CLIENT_ID, on_token_refreshed=self._store
        )

    def _store(self, tokens: object) -> None:
        self._tokens.write_text(json.dumps(tokens))
