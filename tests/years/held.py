"""What we hold of a merchant's year: cases, attempts, the mirror's charges, and mails."""

from datetime import datetime
from typing import NamedTuple

from tests.years.merchant import Merchant

CLOSED = ("recovered", "given_up", "voided", "paid_elsewhere")
FINAL = ("succeeded", "declined", "needs_authentication", "refused", "not_made")


class Case(NamedTuple):
    """A row of `dunning_cases`, and the present of the customer's clock."""

    invoice_id: str
    state: str
    next_attempt_at: datetime | None
    due_at: datetime | None
    taken: bool
    now: datetime


class Attempt(NamedTuple):
    """A row of `dunning_attempts`."""

    invoice_id: str
    number: int
    initiator: str
    idempotency_key: str
    state: str
    decline_code: str | None
    payment_method_id: str | None
    charge_id: str | None
    started_at: datetime


class Told(NamedTuple):
    """A charge as the mirror tells it."""

    id: str
    succeeded: bool
    decline_code: str | None
    method: str | None


class Mail(NamedTuple):
    """A row of `messages`."""

    id: str
    kind: str
    key: str
    state: str
    reason: str | None


class Held(NamedTuple):
    """All of it, in the end."""

    cases: dict[str, Case]
    attempts: list[Attempt]
    #: By the invoice that they are of.
    told: dict[str, list[Told]]
    mails: list[Mail]


async def held(merchant: Merchant) -> Held:
    """Read one tenant's rows."""
    cases = await _cases(merchant)
    return Held(
        {case.invoice_id: case for case in cases},
        await _attempts(merchant),
        await _told(merchant),
        await _mails(merchant),
    )


async def _cases(merchant: Merchant) -> list[Case]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select
              held.invoice_id,
              held.state,
              held.next_attempt_at,
              held.due_at,
              held.taken,
              clock.frozen_at
            from dunning_cases as held
            join test_clocks as clock
              on clock.tenant_id = held.tenant_id
              and clock.id = held.test_clock_id
            where held.tenant_id = $1
            """,
            merchant.tenant_id,
        )
    return [Case(*row.values()) for row in rows]


async def _attempts(merchant: Merchant) -> list[Attempt]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select
              invoice_id,
              number,
              initiator,
              idempotency_key,
              state,
              decline_code,
              payment_method_id,
              charge_id,
              started_at
            from dunning_attempts
            where tenant_id = $1
            order by invoice_id, number
            """,
            merchant.tenant_id,
        )
    return [Attempt(*row.values()) for row in rows]


async def _told(merchant: Merchant) -> dict[str, list[Told]]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select
              payment.invoice_id,
              attempt.id,
              attempt.status,
              attempt.decline_code,
              attempt.payment_method_id
            from payment_attempts as attempt
            join invoice_payments as payment
              on payment.tenant_id = attempt.tenant_id
              and payment.payment_intent_id = attempt.payment_intent_id
            where attempt.tenant_id = $1
            """,
            merchant.tenant_id,
        )
    found: dict[str, list[Told]] = {}
    for invoice_id, identifier, status, code, method in rows:
        told = Told(identifier, status == "succeeded", code, method)
        found.setdefault(invoice_id, []).append(told)
    return found


async def _mails(merchant: Merchant) -> list[Mail]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        rows = await unit.fetch(
            "select id::text, kind, key, state, reason from messages where tenant_id = $1",
            merchant.tenant_id,
        )
    return [Mail(*row.values()) for row in rows]
