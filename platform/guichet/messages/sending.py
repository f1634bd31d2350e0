"""Queued mails handed over to mail servers, each at most once.

A mail's body is given only after the row says `sending`, so that whoever finds the row later knows
that it may have been delivered. Everything before the body, and every refusal, is certain: such a
mail is tried again. A death between the body and the server's word leaves a mail that is failed
with `outcome_unknown`, and never a second one.
"""

import asyncio
import ssl
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from guichet.db import Database, DatabaseAway, Unit
from guichet.messages.claiming import (
    Claimed,
    begin_sending,
    claim,
    end_stale,
    note_ended,
    note_sent,
    put_off,
    release,
)
from guichet.messages.dialing import (
    ConnectionLost,
    Line,
    OutcomeUnknown,
    Patience,
    Refused,
    ServerAway,
    open_line,
)
from guichet.messages.looks import MailBrand, MailBrands
from guichet.messages.routing import Route, Router
from guichet.messages.writing import Unwritable, Writer
from guichet.settings import Settings
from guichet.tenancy import Directory, TenantEntry
from guichet.theming.pages import Pages
from tenants.vault import Vault

log = structlog.get_logger()

#: Tenants that one process sends for at a time, and connections to one server among them: the
#: others come by again, so that servers that say nothing keep no more than these busy.
_TENANTS_AT_ONCE = 20
_LINES_TO_ONE = 4
#: A server that could not be used is left alone so long.
_AWAY_SECONDS = 30.0
#: A tenant without a server is looked at again after so long, or when something of it changes.
_NO_SERVER = timedelta(minutes=5)
#: One run sends so long for a tenant, then makes room for others.
_RUN_SECONDS = 60.0
#: Below `claiming.LEASE`: what a batch has not begun by then is given back.
_BATCH_SECONDS = 60.0
#: What a server has said is written down for so long while the database is away.
_INSIST_SECONDS = 30.0
_INSIST_PAUSE_SECONDS = 0.5

_outcomes = Counter(
    "guichet_messages_total",
    "What became of mails when they were to be sent.",
    ["kind", "outcome"],
)

Noting = Callable[[Unit], Awaitable[None]]


class Sender:
    """Sends tenants' mails; each process has one."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        directory: Directory,
        vault: Vault,
        pages: Pages,
        *,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self.directory = directory
        self._brands = MailBrands(db, directory, pages)
        self._router = Router(settings, db, vault)
        self._writer = Writer(settings, directory, pages)
        self._hostname = settings.base_host
        self._trusts_tenants = settings.demo
        self._patience = patience or Patience()
        self._tls = tls
        self._clock = clock
        self._away: dict[Hashable, float] = {}
        self._lines: Tally[Hashable] = Tally()
        # Tenants at work in this process, and whether somebody knocked meanwhile.
        self._working: dict[UUID, bool] = {}
        self._closing = False

    def close(self) -> None:
        """Have everybody stop after the mail in hand; what is left keeps waiting in its rows."""
        self._closing = True

    async def send_messages(self, tenant_id: UUID) -> bool:
        """Send what is due for a tenant; answers whether to come by again in a moment."""
        tenant = self.directory.by_id(tenant_id)
        if tenant is None:
            return False
        if tenant_id in self._working:
            self._working[tenant_id] = True
            return False
        if len(self._working) >= _TENANTS_AT_ONCE:
            return True
        self._working[tenant_id] = True
        come_again = False
        try:
            for kind, _reason in await end_stale(self._db, tenant_id):
                _outcomes.labels(kind, "failed").inc()
            while self._working[tenant_id]:
                self._working[tenant_id] = False
                come_again = await self._run(tenant)
        finally:
            del self._working[tenant_id]
        return come_again and not self._closing

    async def _run(self, tenant: TenantEntry) -> bool:
        """One batch after another until none is due; answers whether some may be left."""
        until = self._clock() + _RUN_SECONDS
        while self._clock() < until and not self._closing:
            brand = await self._brands.brand(tenant)
            route = await self._router.find(tenant, brand.configuration)
            # Whatever changes about a tenant may have given it a server.
            place = route.server if route else (tenant.id, tenant.change_no)
            if self._is_away(place):
                return False
            if self._lines[place] >= _LINES_TO_ONE:
                return True
            self._lines[place] += 1
            try:
                count = await self._send_batch(tenant, brand, route, place)
            finally:
                self._lines.subtract([place])
                # Only what is counted is kept.
                self._lines += Tally()
            if not count:
                return False
        return True

    async def _send_batch(
        self, tenant: TenantEntry, brand: MailBrand, route: Route | None, place: Hashable
    ) -> int:
        """Send what can be claimed; answers how many mails that were."""
        claimed = await claim(self._db, tenant.id, brand.configuration.mails.switched_off)
        mails = await self._without_obstacles(tenant.id, claimed)
        if mails and route is None:
            self._leave_alone(place, _NO_SERVER.total_seconds())
            await self._put_off(tenant.id, mails, "no_server", _NO_SERVER)
        elif mails and route is not None:
            await self._send(tenant, brand, route, mails)
        return len(claimed)

    async def _without_obstacles(self, tenant_id: UUID, mails: list[Claimed]) -> list[Claimed]:
        for mail in mails:
            if mail.obstacle is not None:
                await self._end(tenant_id, mail, "suppressed", mail.obstacle)
        return [mail for mail in mails if mail.obstacle is None]

    async def _send(
        self, tenant: TenantEntry, brand: MailBrand, route: Route, mails: Sequence[Claimed]
    ) -> None:
        """Hand mails over on one connection, or put them off."""
        try:
            async with open_line(
                route.server,
                self._hostname,
                public_only=route.is_own and not self._trusts_tenants,
                patience=self._patience,
                tls=self._tls,
            ) as line:
                await self._send_on(line, tenant, brand, route, mails)
        except ServerAway as away:
            self._leave_alone(route.server, _AWAY_SECONDS)
            log.warning("mail_server_away", tenant=str(tenant.id), reason=away.reason)
            await self._put_off(tenant.id, mails, away.reason)

    async def _send_on(
        self,
        line: Line,
        tenant: TenantEntry,
        brand: MailBrand,
        route: Route,
        mails: Sequence[Claimed],
    ) -> None:
        until = self._clock() + _BATCH_SECONDS
        for place, mail in enumerate(mails):
            if self._closing or not line.is_open or self._clock() > until:
                async with self._db.unit(tenant.id) as unit:
                    await release(unit, mails[place:])
                return
            await self._hand_over(line, tenant, brand, route, mail)

    async def _hand_over(
        self, line: Line, tenant: TenantEntry, brand: MailBrand, route: Route, mail: Claimed
    ) -> None:
        try:
            written = self._writer.write(tenant, brand, route, mail)
        except Unwritable as unwritable:
            await self._end(tenant.id, mail, "failed", unwritable.reason)
            return
        try:
            await line.offer(route.sender, written.recipient)
            async with self._db.unit(tenant.id) as unit:
                is_ours = await begin_sending(unit, mail)
            if not is_ours:
                # The server waits for a body, and nothing but the end of the connection stops it.
                line.close()
                return
            await line.give(written.content)
        except Refused as refused:
            await self._note_refusal(tenant.id, mail, refused)
            if refused.ends_connection:
                line.close()
            else:
                await line.begin_anew()
        except ConnectionLost:
            await self._put_off(tenant.id, [mail], "connection_lost")
        except OutcomeUnknown:
            await self._end(tenant.id, mail, "failed", "outcome_unknown")
        else:
            await self._insist(tenant.id, lambda unit: note_sent(unit, mail))
            _outcomes.labels(mail.kind, "sent").inc()

    async def _note_refusal(self, tenant_id: UUID, mail: Claimed, refused: Refused) -> None:
        reason = f"refused_{refused.code}"
        if refused.for_now:
            await self._put_off(tenant_id, [mail], reason)
        else:
            await self._end(tenant_id, mail, "failed", reason)

    async def _end(self, tenant_id: UUID, mail: Claimed, state: str, reason: str) -> None:
        await self._insist(tenant_id, lambda unit: note_ended(unit, mail, state, reason))
        _outcomes.labels(mail.kind, state).inc()

    async def _put_off(
        self,
        tenant_id: UUID,
        mails: Sequence[Claimed],
        reason: str,
        delay: timedelta | None = None,
    ) -> None:
        await self._insist(tenant_id, lambda unit: put_off(unit, mails, reason, delay))
        for mail in mails:
            _outcomes.labels(mail.kind, "put_off").inc()

    async def _insist(self, tenant_id: UUID, note: Noting) -> None:
        """Write down what is known, also when the database comes back only in a while."""
        give_up_at = self._clock() + _INSIST_SECONDS
        while True:
            try:
                async with self._db.unit(tenant_id) as unit:
                    await note(unit)
                return
            except DatabaseAway:
                if self._clock() > give_up_at:
                    raise
            await asyncio.sleep(_INSIST_PAUSE_SECONDS)

    def _leave_alone(self, place: Hashable, seconds: float) -> None:
        now = self._clock()
        self._away = {it: until for it, until in self._away.items() if until > now}
        self._away[place] = now + seconds

    def _is_away(self, place: Hashable) -> bool:
        return self._away.get(place, 0.0) > self._clock()
