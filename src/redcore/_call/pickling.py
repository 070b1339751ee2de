"""The pickled form of a client: everything except its secrets, which must come from the environment.

Performs no I/O.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import attrs

from redcore._call.arguments import OnTokenRefreshed
from redcore._call.config import Config
from redcore._call.credentials import Credentials, secret
from redcore._call.engine import CallOptions
from redcore.exceptions import ConfigurationError
from redcore.tokens.cache import AnyTokenCache, MemoryCache

NO_SECRETS = "a pickle of a client holds no secret"


@attrs.frozen(kw_only=True)
class PickledClient:
    """The pickled form of a client."""

    identity: Credentials
    """Without secrets."""
    missing: frozenset[str]
    """Names of the secrets that the client has."""
    base_url: str
    auth_origin: str
    cache: AnyTokenCache | None
    """None for tokens in memory, which are not pickled."""
    on_token_refreshed: OnTokenRefreshed | None

    @classmethod
    def of(
        cls, config: Config, cache: AnyTokenCache | None, on_token_refreshed: OnTokenRefreshed | None
    ) -> PickledClient:
        """Make the pickled form of a client."""
        had = config.credentials
        secrets = ("api_key", "client_secret", "access_token", "refresh_token")
        return cls(
            identity=Credentials(client_id=had.client_id, scope=had.scope, personal=had.personal),
            missing=frozenset(name for name in secrets if getattr(had, name) is not None),
            base_url=config.base_url,
            auth_origin=config.auth_origin,
            cache=None if isinstance(cache, MemoryCache) else cache,
            on_token_refreshed=on_token_refreshed,
        )

    def config(self, options: CallOptions, env: Mapping[str, str] = os.environ) -> Config:
        """Restore the client's configuration, with secrets from the environment.

        Raises:
            ConfigurationError: a secret is missing from the environment, or cannot be set there.
        """
        return Config(
            credentials=self._with_secrets(env),
            base_url=self.base_url,
            auth_origin=self.auth_origin,
            options=completed(options),
        )

    def _with_secrets(self, env: Mapping[str, str]) -> Credentials:
        if self.identity.personal or self.missing & {"access_token", "refresh_token"}:
            raise ConfigurationError(f"{NO_SECRETS}: where it is needed, make one with the tokens of the session")
        if "api_key" in self.missing:
            return attrs.evolve(self.identity, api_key=of_environment("REDCORE_API_KEY", env))
        if env.get("REDCORE_CLIENT_ID", self.identity.client_id) != self.identity.client_id:
            raise ConfigurationError(f"{NO_SECRETS}, and REDCORE_CLIENT_SECRET is that of another REDCORE_CLIENT_ID")
        return attrs.evolve(self.identity, client_secret=of_environment("REDCORE_CLIENT_SECRET", env))


def of_environment(variable: str, env: Mapping[str, str]) -> str | None:
    """A secret from the environment."""
    if not env.get(variable):
        raise ConfigurationError(f"{NO_SECRETS}: set {variable} where it is unpickled")
    return secret(variable, env[variable])


def completed(options: CallOptions) -> CallOptions:
    """The options of a pickle, with defaults for fields that an older version did not have."""
    names = (field.name for field in attrs.fields(CallOptions))
    return CallOptions(**{name: getattr(options, name) for name in names if hasattr(options, name)})
