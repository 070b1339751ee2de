"""The credentials of a new organisation, as `export` lines for a shell and an SDK."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs

from redcore_server.data_folder import write_private


@attrs.frozen(kw_only=True)
class Credentials:
    """Credentials for an SDK (without the base URL) and for a person's sign-in. Secrets can be shown only at this time.

    The person's values are None in a file written before people could sign in.
    """

    api_key: str = attrs.field(repr=False)
    client_id: str
    client_secret: str = attrs.field(repr=False)
    admin_email: str | None = None
    admin_password: str | None = attrs.field(default=None, repr=False)


def export_lines(credentials: Credentials, base_url: str) -> str:
    """Return lines to source in a shell. If both are set, the SDK prefers the API key to the client id.

    Values for the sign-in page are in comments: no program reads them from the environment.
    """
    person = {"REDCORE_ADMIN_EMAIL": credentials.admin_email, "REDCORE_ADMIN_PASSWORD": credentials.admin_password}
    exports = [f"export {name}={shlex.quote(value)}\n" for name, value in variables(credentials, base_url).items()]
    return "".join(exports + [f"# {name}={shlex.quote(value)}\n" for name, value in person.items() if value])


def variables(credentials: Credentials, base_url: str) -> dict[str, str]:
    """Return the environment variables with which an SDK needs no arguments."""
    return {
        "REDCORE_BASE_URL": base_url,
        "REDCORE_API_KEY": credentials.api_key,
        "REDCORE_CLIENT_ID": credentials.client_id,
        "REDCORE_CLIENT_SECRET": credentials.client_secret,
    }


def credentials_file(data: Path) -> Path:
    """Return the file that holds the credentials of a data folder's first organisation."""
    return data / "credentials.env"


def save_credentials(data: Path, credentials: Credentials, base_url: str) -> None:
    """Write the file, readable by its owner only.

    Raises:
        DataFolderError: It cannot be written.
    """
    write_private(credentials_file(data), export_lines(credentials, base_url))


def read_credentials(data: Path) -> Credentials | None:
    """Return the content of the file; None if it does not exist or cannot be parsed."""
    try:
        words = shlex.split(credentials_file(data).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    values = dict(word.split("=", 1) for word in words if "=" in word)
    try:
        return Credentials(
            api_key=values["REDCORE_API_KEY"],
            client_id=values["REDCORE_CLIENT_ID"],
            client_secret=values["REDCORE_CLIENT_SECRET"],
            admin_email=values.get("REDCORE_ADMIN_EMAIL"),
            admin_password=values.get("REDCORE_ADMIN_PASSWORD"),
        )
    except KeyError:
        return None
