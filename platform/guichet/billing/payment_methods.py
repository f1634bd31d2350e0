"""Payment methods as the mirror holds them; card numbers never reach us."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from guichet.db import Database, Unit
from guichet.errors import Conflict, NotFound

#: Longer than a request may take, so that a lease never ends under whoever holds it.
_LEASE = timedelta(seconds=30)


class MethodsBusy(Conflict):
    """Your payment methods are being changed already. Please look again in a moment."""

    code = "methods_busy"


class PaymentMethod(msgspec.Struct, frozen=True):
    """A card, or another method of the provider, by what may be shown of it."""

    id: str
    type: str
    #: The card's network, such as visa; None for other types.
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None

    def is_expired(self, now: datetime) -> bool:
        """Whether its last month is over, in UTC."""
        if self.exp_year is None or self.exp_month is None:
            return False
        return (self.exp_year, self.exp_month) < (now.year, now.month)


class MethodBook(msgspec.Struct, frozen=True, kw_only=True):
    """All that a customer can be charged to."""

    #: In the order in which they are charged: the default, then what is tried when it fails.
    ordered: tuple[PaymentMethod, ...]
    #: What is charged only when the customer says so, newest first.
    others: tuple[PaymentMethod, ...]
    #: Whether something is charged regularly, for which one must be left.
    has_live_subscription: bool
    #: By the method that a subscription is charged to before the default, the subscriptions.
    pinned: dict[str, tuple[str, ...]]
    #: The time that the customer lives in.
    now: datetime

    @property
    def all(self) -> tuple[PaymentMethod, ...]:
        return self.ordered + self.others

    @property
    def order(self) -> tuple[str, ...]:
        """The ids in the order in which they are charged."""
        return tuple(method.id for method in self.ordered)

    @property
    def first(self) -> str | None:
        """The default's id."""
        return self.ordered[0].id if self.ordered else None

    @property
    def is_pinned_elsewhere(self) -> bool:
        """Whether a subscription is charged to another method than the default."""
        return bool(self.pinned.keys() - {self.first})

    def find(self, method_id: str) -> PaymentMethod:
        """One of them; raises `NotFound`."""
        for method in self.all:
            if method.id == method_id:
                return method
        raise NotFound


async def read_methods(unit: Unit, customer_id: str) -> MethodBook:
    """The customer's payment methods; raises `NotFound` for a customer who is gone."""
    row = await unit.fetchrow(
        """
        select
          array_remove(
            array_prepend(customer.default_payment_method_id, customer.fallback_payment_method_ids),
            null
          ) as ids,
          coalesce(clock.frozen_at, now()) as now,
          coalesce((
            select json_object_agg(pin.method, pin.subscriptions)
            from (
              select
                live.default_payment_method_id as method,
                json_agg(live.id) as subscriptions
              from subscriptions as live
              where live.tenant_id = customer.tenant_id
              and live.customer_id = customer.id
              and live.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
              and live.default_payment_method_id is not null
              group by live.default_payment_method_id
            ) as pin
          ), '{}')::text as pinned,
          exists (
            select
            from subscriptions as live
            where live.tenant_id = customer.tenant_id
            and live.customer_id = customer.id
            and live.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
            and live.collection_method = 'charge_automatically'
          ) as has_live_subscription
        from customers as customer
        left join test_clocks as clock
          on clock.tenant_id = customer.tenant_id
          and clock.id = customer.test_clock_id
        where customer.tenant_id = $1
        and customer.id = $2
        and not customer.deleted
        """,
        unit.tenant_id,
        customer_id,
    )
    if row is None:
        raise NotFound
    held = await _held(unit, customer_id)
    ids = [method_id for method_id in dict.fromkeys(row["ids"]) if method_id in held]
    return MethodBook(
        ordered=tuple(held[method_id] for method_id in ids),
        others=tuple(method for method in held.values() if method.id not in ids),
        has_live_subscription=row["has_live_subscription"],
        pinned=msgspec.json.decode(row["pinned"], type=dict[str, tuple[str, ...]]),
        now=row["now"],
    )


async def _held(unit: Unit, customer_id: str) -> dict[str, PaymentMethod]:
    """What is attached to the customer by id, newest first."""
    rows = await unit.fetch(
        """
        select id, type, brand, last4, exp_month, exp_year
        from payment_methods
        where tenant_id = $1
        and customer_id = $2
        order by created_at desc, id
        limit 100
        """,
        unit.tenant_id,
        customer_id,
    )
    return {row["id"]: PaymentMethod(**row) for row in rows}


@contextlib.asynccontextmanager
async def changing_methods(
    db: Database, tenant_id: UUID, customer_id: str
) -> AsyncIterator[MethodBook]:
    """Change a customer's payment methods, with nobody else doing so meanwhile.

    Answers them as they are. No transaction is open in the block. Raises `MethodsBusy`.
    """
    async with db.unit(tenant_id) as unit:
        held_until = await _take_lease(unit, customer_id)
        book = await read_methods(unit, customer_id)
    try:
        yield book
    finally:
        async with db.unit(tenant_id) as unit:
            await unit.execute(
                """
                delete from payment_method_leases
                where tenant_id = $1
                and customer_id = $2
                and held_until = $3
                """,
                tenant_id,
                customer_id,
                held_until,
            )


async def _take_lease(unit: Unit, customer_id: str) -> datetime:
    held_until: datetime | None = await unit.fetchval(
        """
        insert into payment_method_leases as lease (tenant_id, customer_id, held_until)
        values ($1, $2, clock_timestamp() + $3::interval)
        on conflict (tenant_id, customer_id) do update
        set held_until = excluded.held_until
        where lease.held_until < clock_timestamp()
        returning held_until
        """,
        unit.tenant_id,
        customer_id,
        _LEASE,
    )
    if held_until is None:
        raise MethodsBusy
    return held_until
