"""Third-party clients complete their flows: Authlib's, and requests-oauthlib; those of npm have their own file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from tests.contract.people import Actor, Application, new_application, parameters

from redcore.testing import ReferenceServer


def revoke(client: OAuth2Client, token: str) -> int:
    """Revoke a token; returns the status of the answer."""
    status: int = client.revoke_token(client.metadata["revocation_endpoint"], token).status_code  # type: ignore[no-untyped-call]
    return status


class TestAuthlib:
    @pytest.fixture
    def connect(self, redcore_server: ReferenceServer) -> Iterator[Callable[[Application, str], OAuth2Client]]:
        """Make clients that know the server by its metadata alone."""
        made: list[OAuth2Client] = []

        def connect(application: Application, method: str) -> OAuth2Client:
            client = OAuth2Client(
                application.id,
                application.secret,
                token_endpoint_auth_method=method,
                redirect_uri=application.redirect_uri,
                code_challenge_method="S256",
                trust_env=False,
            )
            made.append(client)
            address = f"{redcore_server.origin}/.well-known/oauth-authorization-server"
            client.metadata.update(client.request("GET", address, withhold_token=True).json())
            return client

        yield connect
        for client in made:
            client.close()

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    def test_client_credentials(
        self,
        method: str,
        connect: Callable[[Application, str], OAuth2Client],
        redcore_server: ReferenceServer,
    ) -> None:
        """Client credentials by either authentication method, a call, introspection, revocation."""
        application = new_application(redcore_server)
        client = connect(application, method)
        endpoints = client.metadata
        token = client.fetch_token(endpoints["token_endpoint"], grant_type="client_credentials", scope="users:read")
        assert client.get(f"{redcore_server.base_url}/users").status_code == 200
        introspection = client.introspect_token(endpoints["introspection_endpoint"], token["access_token"]).json()
        assert (introspection["active"], introspection["sub"], introspection["scope"]) == (
            True,
            application.id,
            "users:read",
        )
        assert revoke(client, token["access_token"]) == 200
        assert client.introspect_token(endpoints["introspection_endpoint"], token["access_token"]).json() == {
            "active": False
        }

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
    def test_logs_a_person_in_and_out(
        self,
        method: str,
        connect: Callable[[Application, str], OAuth2Client],
        redcore_server: ReferenceServer,
        actor: Actor,
    ) -> None:
        """Code with PKCE, a call, refresh with rotation, revocation; also for a client without a secret."""
        client = connect(new_application(redcore_server, is_public=method == "none"), method)
        verifier = secrets.token_urlsafe(48)
        address, state = client.create_authorization_url(
            client.metadata["authorization_endpoint"], code_verifier=verifier, scope="users:read"
        )
        back = actor.decide(address)
        endpoint = client.metadata["token_endpoint"]
        first = client.fetch_token(endpoint, authorization_response=back, state=state, code_verifier=verifier)
        assert client.get(f"{redcore_server.base_url}/users").status_code == 200
        second = client.refresh_token(endpoint, first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        assert revoke(client, second["refresh_token"]) == 200
        assert client.get(f"{redcore_server.base_url}/users").status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(endpoint, second["refresh_token"])


class TestRequestsOauthlib:
    @pytest.fixture(autouse=True)
    def without_tls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let oauthlib speak to a loopback address in plain HTTP."""
        monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    def test_client_credentials(self, redcore_server: ReferenceServer) -> None:
        """Client credentials, and a call."""
        application = new_application(redcore_server)
        with OAuth2Session(client=BackendApplicationClient(application.id, scope=["users:read"])) as session:
            session.trust_env = False
            auth = HTTPBasicAuth(application.id, application.secret or "")
            token = session.fetch_token(f"{redcore_server.origin}/oauth/token", auth=auth)
            assert token["scope"] == ["users:read"]
            assert session.get(f"{redcore_server.base_url}/users").status_code == 200

    @pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
    def test_logs_a_person_in(
        self,
        is_public: bool,  # noqa: FBT001 (a parameter of the test)
        redcore_server: ReferenceServer,
        actor: Actor,
    ) -> None:
        """Code with PKCE, a call, refresh with rotation; afterwards the first refresh token is dead."""
        used = new_application(redcore_server, is_public=is_public)
        endpoint = f"{redcore_server.origin}/oauth/token"
        session = OAuth2Session(used.id, redirect_uri=used.redirect_uri, scope=["users:read"], pkce="S256")
        session.trust_env = False
        with session:
            address, state = session.authorization_url(f"{redcore_server.origin}/oauth/authorize")
            back = actor.decide(address)
            assert parameters(back)["state"] == state
            secret = {"include_client_id": True} if is_public else {"client_secret": used.secret}
            first = session.fetch_token(endpoint, authorization_response=back, **secret)
            assert session.get(f"{redcore_server.base_url}/users").status_code == 200

            def refresh() -> Mapping[str, str]:
                old = first["refresh_token"]
                return session.refresh_token(endpoint, old, client_id=used.id, client_secret=used.secret or "")

            second = refresh()
            assert session.get(f"{redcore_server.base_url}/users").status_code == 200
            assert second["refresh_token"] != first["refresh_token"]
            with pytest.raises(InvalidGrantError):
                refresh()
