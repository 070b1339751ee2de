"""A reference server already running in test mode, for `pytest --redcore=http://127.0.0.1:4010`."""

from __future__ import annotations

import os

from redcore.exceptions import ConfigurationError
from redcore.testing.credentials import ApiKeyArguments, ApplicationArguments
from redcore.testing.lab import Lab


class RunningServer:
    """The server at an address; its credentials come from the environment, as `redcore-server seed` prints them.

    Args:
        origin: Such as `http://127.0.0.1:4010`; a path is ignored.
        variables: The environment; None is that of the process at this moment.
    """

    def __init__(self, origin: str, variables: dict[str, str] | None = None) -> None:
        self.origin: str = origin.removesuffix("/").removesuffix("/v1")
        self._variables = dict(os.environ) if variables is None else variables

    @property
    def base_url(self) -> str:
        """What `Client(base_url=…)` takes."""
        return f"{self.origin}/v1"

    @property
    def lab(self) -> Lab:
        """The laboratory: faults, the clock, the outbox."""
        return Lab(self.origin)

    @property
    def arguments(self) -> ApiKeyArguments:
        """Arguments for a client with the API key of the environment."""
        return {"base_url": self.base_url, "api_key": self._variable("REDCORE_API_KEY")}

    @property
    def application(self) -> ApplicationArguments:
        """Arguments for a client with the OAuth application of the environment."""
        return {
            "base_url": self.base_url,
            "client_id": self._variable("REDCORE_CLIENT_ID"),
            "client_secret": self._variable("REDCORE_CLIENT_SECRET"),
        }

    def _variable(self, name: str) -> str:
        value = self._variables.get(name)
        if not value:
            raise ConfigurationError(f"{name} is not set; `redcore-server seed` prints the credentials of the server")
        return value
