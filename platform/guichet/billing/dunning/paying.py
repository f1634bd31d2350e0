"""Payments that customers make themselves: written down first, confirmed at their bank, settled.

Any open invoice may be paid, whether its payment has failed before or not.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from guichet.billing.dunning.attempts.attempting import write_attempts
from guichet.billing.dunning.attempts.finishing import finish
from guichet.billing.dunning.attempts.outcomes import NOT_MADE
from guichet.billing.dunning.cases.cases import UNDER_WAY, Attempt
from guichet.billing.dunning.cases.claiming import LEASE
from guichet.billing.dunning.cases.loading import lock_case, next_number
from guichet.billing.dunning.throttling import check_tries
from guichet.db import Unit
from guichet.errors import Conflict, NotFound


class PaymentUnderWay(Conflict):
    """This payment is already being made. Please look again in a moment."""

    code = "payment_under_way"

    def __init__(self, payment: Attempt) -> None:
        super().__init__(number=payment.number)
        #: Of one that is older than what a page waits for, ask `look_at_customer_payment`.
        self.payment = payment


class RetryUnderWay(Conflict):
    """Your payment method is being charged right now. Please look again in a moment."""

    code = "retry_under_way"


class NothingToPay(Conflict):
    """There is nothing left to pay here."""

    code = "nothing_to_pay"


class _Payer(msgspec.Struct, frozen=True, kw_only=True):
    """The invoice and the method of a payment, and the customer's time."""

    status: str
    remaining: int
    method_id: str | None
    network: str | None
    fingerprint: str | None
    now: datetime
    wall_now: datetime
    attempts: tuple[Attempt, ...]


async def start_customer_payment(
    unit: Unit, customer_id: str, invoice_id: str, payment_method_id: str | None, token: UUID
) -> Attempt:
    """Write a customer's payment down, before anything is asked of the provider.

    The same `token` answers the payment that was begun with it. One that waits at the bank gives
    way to a new one. Raises `NotFound` for another customer's invoice or method, `NothingToPay`,
    `TooManyPayments`, `PaymentUnderWay`, and `RetryUnderWay` while the worker is at the invoice.
    """
    await _wait_for_worker(unit, invoice_id)
    payer = await _read_payer(unit, customer_id, invoice_id, payment_method_id)
    key = f"guichet-payment:{token}"
    known = next((it for it in payer.attempts if it.idempotency_key == key), None)
    if known is not None:
        return known
    if payer.status not in ("open", "uncollectible") or payer.remaining <= 0:
        raise NothingToPay
    await check_tries(unit, customer_id)
    await _make_way(unit, payer.attempts)
    payment = msgspec.convert(
        {
            "invoice_id": invoice_id,
            "number": next_number(payer.attempts),
            "initiator": "customer",
            "idempotency_key": key,
            "payment_method_id": payment_method_id,
            "network": payer.network,
            "fingerprint": payer.fingerprint,
            "started_at": payer.now,
            "sent_at": payer.wall_now,
        },
        Attempt,
    )
    await write_attempts(unit, [payment], [None])
    return payment


async def _wait_for_worker(unit: Unit, invoice_id: str) -> None:
    """Keep the worker off the invoice until the unit ends."""
    await lock_case(unit, invoice_id)
    charging = await unit.fetchval(
        """
        select true
        from dunning_cases
        where tenant_id = $1
        and invoice_id = $2
        and state in ('attempting', 'unknown')
        """,
        unit.tenant_id,
        invoice_id,
    )
    if charging:
        raise RetryUnderWay


async def _read_payer(
    unit: Unit, customer_id: str, invoice_id: str, payment_method_id: str | None
) -> _Payer:
    """Keeps others from paying the same invoice until the unit ends."""
    await unit.execute(
        """
        select
        from invoices
        where tenant_id = $1
        and id = $2
        for no key update
        """,
        unit.tenant_id,
        invoice_id,
    )
    document = await unit.fetchval(
        """
        select json_build_object(
          'status', invoice.status,
          'remaining', invoice.amount_remaining,
          'method_id', method.id,
          'network', method.brand,
          'fingerprint', method.fingerprint,
          'now', coalesce(clock.frozen_at, now()),
          'wall_now', now(),
          'attempts', (
            select coalesce(json_agg(own order by own.number), '[]')
            from dunning_attempts as own
            where own.tenant_id = $1
            and own.invoice_id = invoice.id
          )
        )::text
        from invoices as invoice
        join customers as customer
          on customer.tenant_id = $1
          and customer.id = invoice.customer_id
          and not customer.deleted
        left join payment_methods as method
          on method.tenant_id = $1
          and method.id = $4
          and method.customer_id = $3
        left join test_clocks as clock
          on clock.tenant_id = $1
          and clock.id = customer.test_clock_id
        where invoice.tenant_id = $1
        and invoice.id = $2
        and invoice.customer_id = $3
        """,
        unit.tenant_id,
        invoice_id,
        customer_id,
        payment_method_id,
    )
    if document is None:
        raise NotFound
    payer = msgspec.json.decode(document, type=_Payer)
    if payer.method_id != payment_method_id:
        raise NotFound
    return payer


async def _make_way(unit: Unit, attempts: tuple[Attempt, ...]) -> None:
    """Give up a payment that waits at the bank; raises for one that is being made."""
    for attempt in attempts:
        if attempt.initiator == "merchant" or not attempt.is_open:
            continue
        if attempt.state in UNDER_WAY:
            raise PaymentUnderWay(attempt)
        await finish(unit, attempt, NOT_MADE)


async def wake_unknown(unit: Unit, invoice_id: str) -> bool:
    """Have a worker look at once what became of a charge, for its customer waits.

    Answers whether the case was waiting for a later look. One that is under a lease, or looked at
    soon anyway, is left alone.
    """
    woken = await unit.fetchval(
        """
        update dunning_cases
        set wake_at = '-infinity'
        where tenant_id = $1
        and invoice_id = $2
        and state = 'unknown'
        and wake_at > now() + $3::interval
        returning true
        """,
        unit.tenant_id,
        invoice_id,
        LEASE,
    )
    return bool(woken)
