"""Customers' tries counted: whoever tests stolen cards wants many answers, a customer one payment.

Counted are rows of ours by the database's time, however many processes answer, and without Redis.
Merchants' own tries have the networks' caps, in `caps`.
"""

from datetime import timedelta

from guichet.audit import record
from guichet.db import Unit
from guichet.errors import TooManyRequests

_WITHIN = timedelta(hours=1)
#: Far more than somebody with a purse full of cards needs.
_MOST_TRIES = 10
_MOST_PAGES = 10
_PAGE_OPENED = "payment_method.page_opened"


class TooManyPayments(TooManyRequests):
    """Too many payments were tried. Nothing was charged; please try again in an hour."""

    code = "too_many_payments"


class TooManyCardPages(TooManyRequests):
    """The page for a new card was opened too often. Please try again in an hour."""

    code = "too_many_card_pages"


async def check_tries(unit: Unit, customer_id: str) -> None:
    """Refuse one more try of a customer, at whichever of their invoices and with whatever card.

    What was paid does not count. Others of the same customer wait until the unit ends. Raises
    `TooManyPayments`.
    """
    await _one_after_another(unit, customer_id)
    tries = await unit.fetchval(
        """
        select count(1)
        from dunning_attempts as own
        join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.id = own.invoice_id
        where own.tenant_id = $1
        and invoice.customer_id = $2
        and own.initiator = 'customer'
        and own.state <> 'succeeded'
        and own.sent_at > now() - $3::interval
        """,
        unit.tenant_id,
        customer_id,
        _WITHIN,
    )
    if tries >= _MOST_TRIES:
        raise TooManyPayments


async def note_card_page(unit: Unit, customer_id: str, request_id: str) -> None:
    """Count one more page of the provider's that takes a card; raises `TooManyCardPages`."""
    await _one_after_another(unit, customer_id)
    opened = await unit.fetchval(
        """
        select count(*)
        from audit_log
        where tenant_id = $1
        and object = $2
        and action = $3
        and at > now() - $4::interval
        """,
        unit.tenant_id,
        customer_id,
        _PAGE_OPENED,
        _WITHIN,
    )
    if opened >= _MOST_PAGES:
        raise TooManyCardPages
    await record(unit, "customer", customer_id, _PAGE_OPENED, customer_id, {}, request_id)


async def _one_after_another(unit: Unit, customer_id: str) -> None:
    """Have those who come at once for the same customer be counted one after another."""
    await unit.execute(
        "select pg_advisory_xact_lock(hashtextextended($1::text, 4178))",
        f"{unit.tenant_id} {customer_id}",
    )
