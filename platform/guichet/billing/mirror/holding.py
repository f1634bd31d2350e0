"""What the mirror holds, read back as the very copies it was written from."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec

from guichet.billing.mirror.kinds import Kind
from guichet.db import Unit
from guichet.payments.copies import (
    AttemptCopy,
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
    TestClockCopy,
)

_Rows = Awaitable[list[asyncpg.Record]]


class _Shelf(NamedTuple):
    rows: Callable[[Unit, Sequence[str]], _Rows]
    decoder: msgspec.json.Decoder[Any]


async def held_copies(unit: Unit, kind: Kind, ids: Sequence[str]) -> dict[str, Copy]:
    """The mirror's copies of objects of one kind, by id; what it has never seen is left out.

    Each is equal, field by field, to the copy that was written last. A deleted customer is what the
    provider tells of one, although the row keeps what was known.
    """
    shelf = _SHELVES[kind]
    found = (shelf.decoder.decode(row["document"]) for row in await shelf.rows(unit, ids))
    return {copy.id: copy for copy in found}


def _attempts(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select to_json(held)::text as document
        from payment_attempts as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _customers(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select
          case
            when held.deleted then json_build_object('id', held.id, 'deleted', true)
            else to_json(held)
          end::text as document
        from customers as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _invoices(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select
          (
            to_jsonb(held) || jsonb_build_object(
              'lines', (
                select coalesce(jsonb_agg(line order by line.position), '[]')
                from invoice_lines as line
                where line.tenant_id = $1
                and line.invoice_id = held.id
              ),
              'payments', (
                select coalesce(jsonb_agg(payment order by payment.position), '[]')
                from invoice_payments as payment
                where payment.tenant_id = $1
                and payment.invoice_id = held.id
              )
            )
          )::text as document
        from invoices as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _payment_methods(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select to_json(held)::text as document
        from payment_methods as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _prices(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select to_json(held)::text as document
        from prices as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _products(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select to_json(held)::text as document
        from products as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _subscriptions(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select
          (
            to_jsonb(held) || jsonb_build_object(
              'pending', case
                when held.pending_at is not null
                then jsonb_build_object(
                  'at', held.pending_at,
                  'price_id', held.pending_price_id,
                  'quantity', held.pending_quantity
                )
              end,
              'items', (
                select coalesce(jsonb_agg(item order by item.position), '[]')
                from subscription_items as item
                where item.tenant_id = $1
                and item.subscription_id = held.id
              )
            )
          )::text as document
        from subscriptions as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


def _test_clocks(unit: Unit, ids: Sequence[str]) -> _Rows:
    return unit.fetch(
        """
        select to_json(held)::text as document
        from test_clocks as held
        where held.tenant_id = $1
        and held.id = any($2::text[])
        """,
        unit.tenant_id,
        ids,
    )


_SHELVES: dict[Kind, _Shelf] = {
    "attempt": _Shelf(_attempts, msgspec.json.Decoder(AttemptCopy)),
    "customer": _Shelf(_customers, msgspec.json.Decoder(CustomerCopy)),
    "invoice": _Shelf(_invoices, msgspec.json.Decoder(InvoiceCopy)),
    "payment_method": _Shelf(_payment_methods, msgspec.json.Decoder(PaymentMethodCopy)),
    "price": _Shelf(_prices, msgspec.json.Decoder(PriceCopy)),
    "product": _Shelf(_products, msgspec.json.Decoder(ProductCopy)),
    "subscription": _Shelf(_subscriptions, msgspec.json.Decoder(SubscriptionCopy)),
    "test_clock": _Shelf(_test_clocks, msgspec.json.Decoder(TestClockCopy)),
}
