"""What we hold of a merchant's year: cases, attempts, the mirror's charges, and mails."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from guichet.db import Database

CLOSED = ("recovered", "given_up", "voided", "paid_elsewhere")
FINAL = ("succeeded", "declined", "needs_authentication", "refused", "not_made")


class Case(NamedTuple):
    """A row of `dunning_cases`, and the present of the customer's clock."""

    invoice_id: str
    state: str
    next_attempt_at: datetime | None
    due_at: datetime | None
    taken: bool | None
    #: How long nobody could act: the window is so much longer.
    held_up: timedelta
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


async def held(db: Database, tenant_id: UUID) -> Held:
    """Read one tenant's rows."""
    cases = await _cases(db, tenant_id)
    return Held(
        {case.invoice_id: case for case in cases},
        await _attempts(db, tenant_id),
        await _told(db, tenant_id),
        await _mails(db, tenant_id),
    )


async def _cases(db: Database, tenant_id: UUID) -> list[Case]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            select
              held.invoice_id,
              held.state,
              held.next_attempt_at,
              held.due_at,
              held.taken,
              held.held_up,
              clock.frozen_at
            from dunning_cases as held
            join test_clocks as clock
              on clock.tenant_id = held.tenant_id
              and clock.id = held.test_clock_id
            where held.tenant_id = $1
            """,
            tenant_id,
        )
    return [Case(*row.values()) for row in rows]


async def _attempts(db: Database, tenant_id: UUID) -> list[Attempt]:
    async with db.unit(tenant_id) as unit:
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
            tenant_id,
        )
    return [Attempt(*row.values()) for row in rows]


async def _told(db: Database, tenant_id: UUID) -> dict[str, list[Told]]:
    async with db.unit(tenant_id) as unit:
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
            tenant_id,
        )
    found: dict[str, list[Told]] = {}
    for invoice_id, identifier, status, code, method in rows:
        told = Told(identifier, status == "succeeded", code, method)
        found.setdefault(invoice_id, []).append(told)
    return found


async def _mails(db: Database, tenant_id: UUID) -> list[Mail]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            "select id::text, kind, key, state, reason from messages where tenant_id = $1",
            tenant_id,
        )
    return [Mail(*row.values()) for row in rows]
