"""The webhook endpoint that is made for a merchant at the provider, exactly one of them.

The order to make one is a row with its idempotency key, stored before the provider is asked. So
whoever is killed before the secret is sealed asks again for the very same endpoint, secret
included. What else delivers to the portal's address is removed once the new one's secret is in the
vault. The former secret stays good for an hour, for what was sent before; what falls between the
two is found by the reconciliation. A minute after each step a worker looks whether the next one was
made, and at the end whether the endpoint is there and alone: `due_at` says when.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
import structlog

from guichet.audit import Actor, record
from guichet.db import Database, Unit
from guichet.payments.answers import Endpoint
from guichet.payments.choose import FORMER_WEBHOOK_SECRET, WEBHOOK_SECRET
from guichet.payments.errors import ProviderConflict, ProviderError
from guichet.payments.port import PaymentProvider
from tenants.vault import Vault

log = structlog.get_logger()

#: Where a tenant's provider delivers, on the tenant's host.
WEBHOOK_PATH = "/webhooks/stripe"
#: The provider forgets an idempotency key after a day, and would then make a second endpoint.
_ORDER_LASTS = timedelta(hours=23)
#: How long the former secret is good.
FORMER_LASTS = timedelta(hours=1)
#: How long whoever makes an endpoint has for it before a worker looks.
_LOOK_AFTER = timedelta(minutes=1)


class MadeEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a tenant's endpoint."""

    endpoint_id: str | None
    url: str | None
    made_at: datetime | None
    #: When the making of one was begun that is not done.
    ordered_at: datetime | None
    former_until: datetime | None


class Secrets(NamedTuple):
    """What deliveries to a tenant may be signed with."""

    current: str | None
    former: str | None
    former_until: datetime | None

    def good_at(self, now: float) -> list[str]:
        """Those that count at a time, in seconds since 1970."""
        is_former_good = self.former_until is not None and now < self.former_until.timestamp()
        given = (self.current, self.former if is_former_good else None)
        return [secret for secret in given if secret]


class EndpointMaker:
    """Makes a tenant's endpoint; `url` is where its events shall be delivered."""

    def __init__(
        self, db: Database, vault: Vault, provider: PaymentProvider, tenant_id: UUID, url: str
    ) -> None:
        self._db = db
        self._vault = vault
        self._provider = provider
        self._tenant_id = tenant_id
        self._url = url

    async def make(self, by: Actor, request_id: str, *, live: bool) -> Endpoint:
        """One new endpoint, with its secret sealed; raises a `ProviderError`.

        Of two at work both get the same one.
        """
        order = await self._order()
        made, known = await self._ask_for(order, live=live)
        if made is None:
            order = await self._order(after=order)
            made, known = await self._ask_for(order, live=live)
        if made is None or made.secret is None:
            raise ProviderConflict
        if await self._seal(order, made, by, request_id):
            await self._remove_others(made, known)
        return made

    async def look_again(self, by: Actor, request_id: str, *, live: bool) -> bool:
        """Finish an order, or see that what was made is there, and alone; raises a `ProviderError`.

        Answers whether nothing is left to do.
        """
        async with self._db.unit(self._tenant_id) as unit:
            held = await read_endpoint(unit)
        if held is None:
            return True
        if held.ordered_at is None:
            known = await self._provider.list_endpoints()
            mine = next((it for it in known if it.id == held.endpoint_id), None)
            if mine is not None:
                return await self._remove_others(mine, known)
        await self.make(by, request_id, live=live)
        return False

    async def _ask_for(self, order: UUID, *, live: bool) -> tuple[Endpoint | None, list[Endpoint]]:
        """The order's endpoint, and all that the account has.

        None where the order was for something else than we ask now, or its endpoint is gone again.
        """
        try:
            made = await self._provider.create_endpoint(
                self._url, str(self._tenant_id), live=live, idempotency_key=str(order)
            )
        except ProviderConflict:
            return None, []
        known = await self._provider.list_endpoints()
        return (made if any(it.id == made.id for it in known) else None), known

    async def _order(self, after: UUID | None = None) -> UUID:
        async with self._db.unit(self._tenant_id) as unit:
            return await order_endpoint(unit, after)

    async def _seal(self, order: UUID, made: Endpoint, by: Actor, request_id: str) -> bool:
        """Keep the new secret and, for a while, the former one; False where somebody else has."""
        async with self._db.unit(self._tenant_id) as unit:
            is_first = await unit.fetchval(
                """
                update provider_endpoints
                set
                  endpoint_id = $3,
                  url = $4,
                  made_at = now(),
                  order_key = null,
                  ordered_at = null,
                  due_at = now() + $6::interval,
                  former_until = now() + $5::interval
                where tenant_id = $1
                and order_key = $2
                returning true
                """,
                self._tenant_id,
                order,
                made.id,
                made.url,
                FORMER_LASTS,
                _LOOK_AFTER,
            )
            if not is_first:
                return False
            former = await self._vault.open(unit.connection, self._tenant_id, WEBHOOK_SECRET)
            if former is not None:
                await self._vault.store(
                    unit.connection, self._tenant_id, FORMER_WEBHOOK_SECRET, former
                )
            assert made.secret is not None
            await self._vault.store(unit.connection, self._tenant_id, WEBHOOK_SECRET, made.secret)
            details: dict[str, object] = {"url": made.url}
            await record(unit, *by, "webhook_endpoint.made", made.id, details, request_id)
        return True

    async def _remove_others(self, made: Endpoint, known: list[Endpoint]) -> bool:
        """Take away what else delivers here; False where something stays, and is tried again."""
        others = [it for it in known if it.id != made.id]
        try:
            await remove_endpoints(self._provider, self._tenant_id, self._url, others)
        except ProviderError as error:
            log.warning("endpoint_not_removed", tenant=str(self._tenant_id), reason=error.code)
            return False
        return True


async def remove_endpoints(
    provider: PaymentProvider, tenant_id: UUID, url: str, known: list[Endpoint]
) -> list[Endpoint]:
    """Remove those of `known` that deliver to a tenant; answers them. Raises a `ProviderError`."""
    ours = [it for it in known if it.reference == str(tenant_id) or it.url == url]
    for endpoint in ours:
        await provider.delete_endpoint(endpoint.id)
    return ours


async def order_endpoint(unit: Unit, after: UUID | None = None, *, anew: bool = False) -> UUID:
    """The key of the order under way, or of a new one where there is none but `after`.

    `anew` is for another account than before: what is under way there stays there.
    """
    order: UUID = await unit.fetchval(
        """
        insert into provider_endpoints as held (tenant_id, order_key, ordered_at, due_at)
        values ($1, $2, now(), now() + $6::interval)
        on conflict (tenant_id) do update
        set
          order_key = case
            when held.order_key <> $3 and held.ordered_at > now() - $4::interval and not $5
              then held.order_key
            else excluded.order_key
          end,
          ordered_at = case
            when held.order_key <> $3 and held.ordered_at > now() - $4::interval and not $5
              then held.ordered_at
            else now()
          end,
          due_at = now() + $6::interval
        where held.tenant_id = $1
        returning order_key
        """,
        unit.tenant_id,
        uuid4(),
        after or UUID(int=0),
        _ORDER_LASTS,
        anew,
        _LOOK_AFTER,
    )
    return order


async def read_endpoint(unit: Unit) -> MadeEndpoint | None:
    """The endpoint of the unit's tenant; None where none was ever made here."""
    row = await unit.fetchrow(
        """
        select endpoint_id, url, made_at, ordered_at, former_until
        from provider_endpoints
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    return MadeEndpoint(**row) if row else None


async def open_secrets(unit: Unit, vault: Vault) -> Secrets:
    """What deliveries may be signed with. Raises `VaultError`."""
    current = await vault.open(unit.connection, unit.tenant_id, WEBHOOK_SECRET)
    made = await read_endpoint(unit)
    if made is None or made.former_until is None:
        return Secrets(current, None, None)
    former = await vault.open(unit.connection, unit.tenant_id, FORMER_WEBHOOK_SECRET)
    return Secrets(current, former, made.former_until)
