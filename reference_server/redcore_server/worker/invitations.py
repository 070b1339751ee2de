"""The job that mails an invitation.

Its only argument is the invitation's id: the link is derived when the mail is written, so no job row contains one.
"""

from __future__ import annotations

from typing import Any

import attrs
import structlog

from redcore_server.clock import Clock
from redcore_server.invitations.link import invitation_token, link_secret
from redcore_server.mail.mailer import Mail, Mailer, MailRefused, MailUnavailable
from redcore_server.store import Stores
from redcore_server.store.jobs import BusyElsewhere
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.worker.invitation_mail import write_invitation

_QUERIES = queries("invitation_mail")
_log = structlog.get_logger("redcore_server.worker")


class BeingSentElsewhere(BusyElsewhere):
    """Another worker is sending this invitation."""


@attrs.frozen(kw_only=True)
class InvitationSender:
    """Mails invitations, each once.

    Attributes:
        stores: Stores with the invitations.
        mailer: Sends the mail.
        clock: Source of the current time, for the expiry of links.
        origin: Start of the link, such as `https://api.blueround.com`.
        sender: The From header.
    """

    stores: Stores
    mailer: Mailer
    clock: Clock
    origin: str
    sender: str

    async def send(self, invitation_id: str) -> None:
        """Mail an invitation unless it was sent, voided or accepted, is too old, or its user is gone.

        Raises:
            MailUnavailable: The mailer cannot take it now.
            MailRefused: The mailer refused it permanently.
            BeingSentElsewhere: Another worker is sending it.
        """
        async with self.stores.postgres.connection() as connection:
            async with connection.transaction():
                invitation = await self._send(connection, invitation_id)
            if invitation is not None:
                await self.stores.marks.note(connection, invitation["organisation_id"])

    async def _send(self, connection: AsyncPostgres, invitation_id: str) -> dict[str, Any] | None:
        invitation = await self._due(connection, invitation_id)
        if invitation is not None:
            token = invitation_token(
                invitation_id, expires_at=invitation["expires_at"], secret=await link_secret(connection)
            )
            mail = write_invitation(invitation, link=f"{self.origin}/oauth/invitations/{token}", sender=self.sender)
            await self._hand_over(mail)
            await connection.execute(_QUERIES["lock_user"], {"id": invitation_id})
            await connection.execute(_QUERIES["sent"], {"id": invitation_id, "now": self.clock.now()})
        return invitation

    async def _hand_over(self, mail: Mail) -> None:
        try:
            await self.mailer.send(mail)
        except (MailUnavailable, MailRefused) as error:
            _log.warning("invitation_not_sent", invitation_id=mail.id, reason=str(error))
            raise
        _log.info("invitation_sent", invitation_id=mail.id)

    async def _due(self, connection: AsyncPostgres, invitation_id: str) -> dict[str, Any] | None:
        parameters = {"id": invitation_id, "now": self.clock.now()}
        claim = await (await connection.execute(_QUERIES["claim"], parameters)).fetchone()
        if claim is None or not claim["claimed"]:
            raise BeingSentElsewhere(invitation_id)
        return await (await connection.execute(_QUERIES["due"], parameters)).fetchone()
