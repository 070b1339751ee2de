"""The shop's back office: its people, its exports and the line on its status page."""

from __future__ import annotations

from redcore import Client, DuplicateError, RateLimitError, ServerError, User


class BackOffice:
    """The part of the shop that only its staff uses.

    Args:
        client: A client of BlueRound.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def hire(self, email: str, name: str) -> User:
        """Invite a person to the back office; a second time does nothing."""
        try:
            return self._client.users.create(email=email, name=name, role="editor")
        except DuplicateError:
            return next(
                user for user in self._client.users.list(q=email) if user.email == email
            )

    def export(self) -> bytes:
        """Return the catalog as CSV."""
        run = self._client.workflows.wait(self._client.workflows.run("catalog_export"))
        if run.result is None:
            raise RuntimeError(f"the export is {run.status}")
        return self._client.files.download(run.result["file_id"])

    def status(self) -> str:
        """Return a line for the status page, which never fails."""
        try:
            return f"open, {self._client.products.list(limit=1).meta.total} products"
        except RateLimitError as error:
            return f"busy, again in {error.retry_after:.0f} s"
        except ServerError:
            return "closed: BlueRound is away"
