"""The credentials of a fresh organisation, as the `export` lines a shell and an SDK understand."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs

from redcore_server.data_folder import write_private


@attrs.frozen(kw_only=True)
class Credentials:
    """What an SDK user needs, but for the base URL, and what a person signs in with; secrets can be shown only now.

    The person's are None in a file that was written before people could sign in.
    """

    api_key: str = attrs.field(repr=False)
    client_id: str
    client_secret: str = attrs.field(repr=False)
    admin_email: str | None = None
    admin_password: str | None = attrs.field(default=None, repr=False)


def export_lines(credentials: Credentials, base_url: str) -> str:
    """Return lines to source. Where both are set the SDK prefers the API key to the client id.

    What people type at the sign-in page is in comments: no program reads it from the environment.
    """
    person = {"REDCORE_ADMIN_EMAIL": credentials.admin_email, "REDCORE_ADMIN_PASSWORD": credentials.admin_password}
    exports = [f"export {name}={shlex.quote(value)}\n" for name, value in variables(credentials, base_url).items()]
    return "".join(exports + [f"# {name}={shlex.quote(value)}\n" for name, value in person.items() if value])


def variables(credentials: Credentials, base_url: str) -> dict[str, str]:
    """Return the environment in which an SDK needs no arguments."""
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
    """Write the file, for its owner only.

    Raises:
        DataFolderError: It cannot be written.
    """
    write_private(credentials_file(data), export_lines(credentials, base_url))


def read_credentials(data: Path) -> Credentials | None:
    """Return what the file holds; None if it does not exist or was changed beyond recognition."""
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
