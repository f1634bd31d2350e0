"""The provider's pages that were opened for a card: whose each is, and what it is for.

The address that one leads back to is opened by a browser, and anybody may have written it. So what
is left at a page is taken over for the customer and the invoice that it was opened for, and once.
"""

import msgspec

from guichet.db import Unit
from guichet.errors import NotFound


class CardPage(msgspec.Struct, frozen=True):
    """One page that was opened."""

    #: The provider's id of it.
    id: str
    #: The method that was left there, once it is taken over.
    payment_method_id: str | None
    #: Whether the customer may just come from it. What is opened again later charges nothing.
    is_recent: bool


async def remember_page(
    unit: Unit, page_id: str, customer_id: str, invoice_id: str | None = None
) -> None:
    """Keep what a page is for, before its customer goes there; without an invoice, to add one."""
    await unit.execute(
        """
        insert into card_pages (tenant_id, id, customer_id, invoice_id)
        values ($1, $2, $3, $4)
        """,
        unit.tenant_id,
        page_id,
        customer_id,
        invoice_id,
    )


async def find_page(unit: Unit, page_id: str, customer_id: str, invoice_id: str | None) -> CardPage:
    """A page of this customer's that was opened for this; raises `NotFound` for any other.

    The provider closes a page after a day, and that long it is recent.
    """
    row = await unit.fetchrow(
        """
        select id, payment_method_id, opened_at > now() - interval '1 day' as is_recent
        from card_pages
        where tenant_id = $1
        and id = $2
        and customer_id = $3
        and invoice_id is not distinct from $4
        """,
        unit.tenant_id,
        page_id,
        customer_id,
        invoice_id,
    )
    if row is None:
        raise NotFound
    return CardPage(**row)


async def note_taken(unit: Unit, page_id: str, payment_method_id: str) -> None:
    """Say that what was left at a page is taken over."""
    await unit.execute(
        """
        update card_pages
        set payment_method_id = $3
        where tenant_id = $1
        and id = $2
        """,
        unit.tenant_id,
        page_id,
        payment_method_id,
    )
