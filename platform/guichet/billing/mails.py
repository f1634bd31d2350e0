"""Mails about subscriptions and payments, queued in the unit of what they tell of."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from guichet.db import Unit
from guichet.messages.kinds import Kind
from guichet.messages.queueing import queue_message
from tenants.mails import Mails

#: What happened longer ago is not told any more: an import, or an outage, brings old news.
FRESH = timedelta(days=3)
#: Nothing is switched off.
EVERYTHING = Mails()


class Mail(msgspec.Struct, frozen=True):
    """One mail: the same `key` is told once, `at` is when it happened by the customer's time."""

    kind: Kind
    customer_id: str
    key: str
    #: What its template needs, as `guichet.messages` names it; times in ISO 8601.
    facts: dict[str, object]
    at: datetime


async def queue_mails(unit: Unit, mails: Iterable[Mail], rules: Mails = EVERYTHING) -> int:
    """Queue what was not told before; answers how many were.

    In the order of customers and keys: two who queue the same wait for each other in one order.
    Where the merchant's rules are not at hand, they are kept when the mail is sent.
    """
    queued = 0
    for mail in sorted(mails, key=lambda mail: (mail.customer_id, mail.key)):
        message_id = await queue_message(
            unit,
            mail.kind,
            mail.customer_id,
            mail.key,
            mail.facts,
            mail.at,
            is_wanted=mail.kind not in rules.switched_off,
        )
        queued += message_id is not None
    return queued
