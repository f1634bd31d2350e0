"""Invoices as the mirror holds them, listed newest first and paged by key."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from guichet.db import Unit
from guichet.errors import NotFound
from guichet.money import Money

#: How many invoices a page of the list shows.
PAGE_SIZE = 25

_KEY = re.compile(r"([0-9]{1,17})-([A-Za-z0-9_]{1,100})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Invoice(msgspec.Struct, frozen=True):
    """One invoice; the shape of the view `invoice_documents`."""

    id: str
    customer_id: str
    subscription_id: str | None
    number: str | None
    status: Literal["draft", "open", "paid", "uncollectible", "void"]
    total: Money
    remaining: Money
    attempt_count: int
    next_payment_attempt_at: datetime | None
    created_at: datetime

    @property
    def key(self) -> str:
        """The place in the list, for the address of what follows: microseconds and id."""
        return f"{(self.created_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


class InvoicePage(msgspec.Struct, frozen=True):
    """A page of the list; `older` is the key to continue from, None at the end."""

    invoices: tuple[Invoice, ...]
    older: str | None


async def list_invoices(unit: Unit, customer_id: str, after: str | None = None) -> InvoicePage:
    """The customer's finalized invoices after a key; raises `NotFound` for a malformed key."""
    created_at, invoice_id = _place(after)
    rows = await unit.fetch(
        """
        select document::text
        from invoice_documents
        where tenant_id = $1
        and customer_id = $2
        and status <> 'draft'
        and (created_at, id) < ($3, $4)
        order by created_at desc, id desc
        limit $5
        """,
        unit.tenant_id,
        customer_id,
        created_at,
        invoice_id,
        PAGE_SIZE + 1,
    )
    invoices = tuple(msgspec.json.decode(row["document"], type=Invoice) for row in rows)
    shown = invoices[:PAGE_SIZE]
    return InvoicePage(shown, shown[-1].key if len(invoices) > PAGE_SIZE else None)


def _place(key: str | None) -> tuple[datetime, str]:
    if key is None:
        return _END_OF_TIME, ""
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotFound
    return _EPOCH + timedelta(microseconds=int(match[1])), match[2]


async def find_invoice(unit: Unit, customer_id: str, invoice_id: str) -> Invoice:
    """One of the customer's invoices; raises `NotFound` for anybody else's."""
    document = await unit.fetchval(
        """
        select document::text
        from invoice_documents
        where tenant_id = $1
        and id = $2
        and customer_id = $3
        and status <> 'draft'
        """,
        unit.tenant_id,
        invoice_id,
        customer_id,
    )
    if document is None:
        raise NotFound
    return msgspec.json.decode(document, type=Invoice)
