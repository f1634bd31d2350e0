"""Customers' tries counted: whoever tests stolen cards wants many answers, a customer one payment.

Counted are rows of ours by the database's time, however many processes answer, and without Redis.
Merchants' own tries have the networks' caps, in `caps`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from guichet.audit import record
from guichet.billing.dunning.cases.cases import Attempt
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


def check_tries(attempts: Iterable[Attempt], now: datetime) -> None:
    """Refuse one more try of a customer at an invoice with these attempts.

    What was paid does not count. Raises `TooManyPayments`.
    """
    tries = sum(
        it.initiator == "customer" and it.state != "succeeded" and it.sent_at > now - _WITHIN
        for it in attempts
    )
    if tries >= _MOST_TRIES:
        raise TooManyPayments


async def note_card_page(unit: Unit, customer_id: str, request_id: str) -> None:
    """Count one more page of the provider's that takes a card; raises `TooManyCardPages`."""
    # Those who come at once count one after another.
    await unit.execute(
        "select pg_advisory_xact_lock(hashtextextended($1::text, 4178))",
        f"{unit.tenant_id} {customer_id}",
    )
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
