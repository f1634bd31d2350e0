"""Payments that customers make themselves: written down first, confirmed at their bank, settled.

Any open invoice may be paid, whether its payment has failed before or not.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from guichet.billing.dunning.attempts.attempting import write_attempts
from guichet.billing.dunning.attempts.confirming import look_for_payment, outcome_of_confirmation
from guichet.billing.dunning.attempts.finishing import finish
from guichet.billing.dunning.attempts.outcomes import NOT_MADE, Outcome, outcome_of_error
from guichet.billing.dunning.cases.cases import UNDER_WAY, Attempt
from guichet.billing.dunning.cases.loading import lock_case, next_number
from guichet.billing.dunning.steps.settling import Shown, settle_attempt
from guichet.billing.dunning.throttling import check_tries
from guichet.billing.mirror import draw_copy_no
from guichet.db import Database, Unit
from guichet.errors import Conflict, NotFound
from guichet.payments.answers import Confirmation
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider
from guichet.tenancy import Directory
from tenants.configuration import NOTHING_PUBLISHED, Published


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
    check_tries(payer.attempts, payer.wall_now)
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


async def find_customer_payment(
    unit: Unit,
    customer_id: str,
    *,
    token: UUID | None = None,
    payment_intent_id: str | None = None,
) -> Attempt | None:
    """The customer's payment that was begun with the token, or last for the payment intent."""
    document = await unit.fetchval(
        """
        select to_json(own)::text
        from dunning_attempts as own
        join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.id = own.invoice_id
        where own.tenant_id = $1
        and own.initiator = 'customer'
        and invoice.customer_id = $2
        and (own.idempotency_key = $3 or own.payment_intent_id = $4)
        order by own.number desc
        limit 1
        """,
        unit.tenant_id,
        customer_id,
        f"guichet-payment:{token}" if token else None,
        payment_intent_id,
    )
    return None if document is None else msgspec.json.decode(document, type=Attempt)


async def settle_customer_payment(
    db: Database,
    directory: Directory,
    tenant_id: UUID,
    provider: PaymentProvider,
    payment: Attempt,
    outcome: Confirmation | ProviderError,
) -> Attempt:
    """Write down how a payment stands, and what follows for its case; answers it as it is then.

    To be called with what `confirm_payment` answered or raised, and after the return from the bank
    with what `fetch_confirmation` answers.
    """
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
        others = await _accounted_for(unit, payment)
    if isinstance(outcome, ProviderError):
        told = outcome_of_error(outcome, payment)
    else:
        told = await outcome_of_confirmation(provider, payment, outcome, others)
    return await _settle(db, directory, tenant_id, payment, told, copy_no)


async def look_at_customer_payment(
    db: Database, directory: Directory, tenant_id: UUID, provider: PaymentProvider, payment: Attempt
) -> Attempt:
    """Look what became of a payment whose answer never came, and settle it; as it is then.

    What the provider knows nothing of was not made: ask only of what is older than a call may be.
    """
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
        others = await _accounted_for(unit, payment)
    told = await look_for_payment(provider, payment, others)
    return await _settle(db, directory, tenant_id, payment, told, copy_no)


async def _accounted_for(unit: Unit, payment: Attempt) -> frozenset[str]:
    """The charges of the invoice's other attempts."""
    rows = await unit.fetch(
        """
        select charge_id
        from dunning_attempts
        where tenant_id = $1
        and invoice_id = $2
        and number <> $3
        and charge_id is not null
        """,
        unit.tenant_id,
        payment.invoice_id,
        payment.number,
    )
    return frozenset(row["charge_id"] for row in rows)


async def _settle(
    db: Database,
    directory: Directory,
    tenant_id: UUID,
    payment: Attempt,
    told: Outcome,
    copy_no: int,
) -> Attempt:
    entry = directory.by_id(tenant_id)
    published: Published = await directory.published(entry) if entry else NOTHING_PUBLISHED
    async with db.unit(tenant_id) as unit:
        shown = Shown(copy_no=copy_no, copies=told.copies)
        await settle_attempt(unit, payment, told, shown, published)
        document = await unit.fetchval(
            """
            select to_json(own)::text
            from dunning_attempts as own
            where own.tenant_id = $1
            and own.invoice_id = $2
            and own.number = $3
            """,
            tenant_id,
            payment.invoice_id,
            payment.number,
        )
    return msgspec.json.decode(document, type=Attempt)
