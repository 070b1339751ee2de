"""What clients log in with: an application, a session, both, or a refresh token alone."""

from __future__ import annotations

from redcore._call.credentials import Credentials

APP = Credentials(client_id="app_1", client_secret="s3cret", scope="users:read")
SESSION = Credentials(client_id="app_1", access_token="access-1", refresh_token="refresh-1")
REFRESH_ONLY = Credentials(refresh_token="refresh-1")
BOTH = Credentials(client_id="app_1", client_secret="s3cret", access_token="access-1", refresh_token="refresh-1")
