"""Queued mails to staff handed to the deployment's mail server, each at most once.

As `guichet.messages.sending` does for tenants: before the body everything is certain and tried
again; what a death after the body leaves behind is failed with `outcome_unknown`.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from prometheus_client import Counter

from guichet.db import Database, DatabaseAway
from guichet.mail_servers import MailServer, parse_server
from guichet.messages.dialing import (
    ConnectionLost,
    Line,
    OutcomeUnknown,
    Patience,
    Refused,
    ServerAway,
    open_line,
)
from guichet.messages.staff.claiming import (
    ClaimedForStaff,
    begin_sending,
    claim,
    end_stale,
    note_failed,
    note_sent,
    put_off,
    release,
)
from guichet.messages.staff.writing import StaffWriter
from guichet.messages.writing import Unwritable
from guichet.settings import Settings
from guichet.tenancy import Directory
from guichet.theming.pages import Pages

log = structlog.get_logger()

#: Below `claiming.LEASE`: what a batch has not begun by then is given back.
_BATCH_SECONDS = 60.0
#: What a server has said is written down for so long while the database is away.
_INSIST_SECONDS = 30.0
_INSIST_PAUSE_SECONDS = 0.5

_outcomes = Counter(
    "guichet_staff_messages_total",
    "What became of mails to staff when they were to be sent.",
    ["kind", "outcome"],
)


class StaffSender:
    """Sends mails to staff; each process has one."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        directory: Directory,
        pages: Pages,
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._db = db
        self._writer = StaffWriter(settings, directory, pages)
        self._sender = settings.mail_from
        self._hostname = settings.base_host
        self._server = parse_server(settings.smtp_url) if settings.smtp_url else None
        self._patience = patience or Patience()
        self._tls = tls
        self._working = False
        self._closing = False

    def close(self) -> None:
        """Stop after the mail in hand; what is left keeps waiting in its rows."""
        self._closing = True

    async def send(self) -> None:
        """Send what is due. A knock that comes meanwhile is for the sweep to make up for."""
        if self._working:
            return
        self._working = True
        try:
            for kind, _reason in await end_stale(self._db):
                _outcomes.labels(kind, "failed").inc()
            while not self._closing and await self._send_batch():
                pass
        finally:
            self._working = False

    async def _send_batch(self) -> bool:
        """Send what can be claimed; answers whether there may be more."""
        mails = await claim(self._db)
        if not mails:
            return False
        if self._server is None:
            await self._put_off(mails, "no_server")
            return True
        return await self._send(self._server, mails)

    async def _send(self, server: MailServer, mails: Sequence[ClaimedForStaff]) -> bool:
        try:
            async with open_line(
                server, self._hostname, public_only=False, patience=self._patience, tls=self._tls
            ) as line:
                await self._send_on(line, mails)
        except ServerAway as away:
            log.warning("mail_server_away", tenant="", reason=away.reason)
            await self._put_off(mails, away.reason)
            return False
        return True

    async def _send_on(self, line: Line, mails: Sequence[ClaimedForStaff]) -> None:
        until = time.monotonic() + _BATCH_SECONDS
        for place, mail in enumerate(mails):
            if self._closing or not line.is_open or time.monotonic() > until:
                await release(self._db, mails[place:])
                return
            await self._hand_over(line, mail)

    async def _hand_over(self, line: Line, mail: ClaimedForStaff) -> None:
        try:
            written = self._writer.write(mail)
        except Unwritable as unwritable:
            await self._fail(mail, unwritable.reason)
            return
        try:
            await line.offer(self._sender, written.recipient)
            if not await begin_sending(self._db, mail):
                # The server waits for a body, and nothing but the end of the connection stops it.
                line.close()
                return
            await line.give(written.content)
        except Refused as refused:
            await self._note_refusal(mail, refused)
            if refused.ends_connection:
                line.close()
            else:
                await line.begin_anew()
        except ConnectionLost:
            await self._put_off([mail], "connection_lost")
        except OutcomeUnknown:
            await self._fail(mail, "outcome_unknown")
        else:
            await _insist(lambda: note_sent(self._db, mail))
            _outcomes.labels(mail.kind, "sent").inc()

    async def _note_refusal(self, mail: ClaimedForStaff, refused: Refused) -> None:
        reason = f"refused_{refused.code}"
        if refused.for_now:
            await self._put_off([mail], reason)
        else:
            await self._fail(mail, reason)

    async def _fail(self, mail: ClaimedForStaff, reason: str) -> None:
        await _insist(lambda: note_failed(self._db, mail, reason))
        _outcomes.labels(mail.kind, "failed").inc()

    async def _put_off(self, mails: Sequence[ClaimedForStaff], reason: str) -> None:
        await _insist(lambda: put_off(self._db, mails, reason))
        for mail in mails:
            _outcomes.labels(mail.kind, "put_off").inc()


async def _insist(note: Callable[[], Awaitable[None]]) -> None:
    """Write down what is known, also when the database comes back only in a while."""
    give_up_at = time.monotonic() + _INSIST_SECONDS
    while True:
        try:
            await note()
            return
        except DatabaseAway:
            if time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(_INSIST_PAUSE_SECONDS)
