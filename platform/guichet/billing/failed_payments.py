"""Payments that failed and are still owed, as the customer is told of them."""

from datetime import UTC, datetime
from typing import Literal

import asyncpg
import msgspec

from guichet.billing.dunning.decisions.declines import classify
from guichet.billing.dunning.decisions.facts import Access
from guichet.billing.dunning.decisions.reasons import customer_reason, customer_text
from guichet.db import Unit
from guichet.money import Money

_NEVER = datetime.min.replace(tzinfo=UTC)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that an invoice could not be charged, and to what."""

    at: datetime
    failure_code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    network: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    payment_method_id: str | None = None
    brand: str | None = None
    last4: str | None = None


class FailedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """An open invoice that could not be charged; the shape of the view
    `failed_payment_documents`.
    """

    invoice_id: str
    subscription_id: str | None
    number: str | None
    #: What is still to pay.
    amount: Money
    #: How its case stands; None where nobody follows it.
    state: str | None
    #: When it is tried again; None: not without the customer.
    next_attempt_at: datetime | None
    asks_for: Literal["new_card", "authenticate"] | None
    #: What becomes of the subscription, and when that changes next.
    access: Access | None
    access_changes_at: datetime | None
    failure: Failure | None

    @property
    def reason(self) -> str:
        """Why it failed, as an English sentence for the customer that has its translations."""
        failure = self.failure or Failure(at=_NEVER)
        verdict = classify(
            decline_code=failure.decline_code,
            failure_code=failure.failure_code,
            advice_code=failure.advice_code,
            network=failure.network,
            network_decline_code=failure.network_decline_code,
            network_advice_code=failure.network_advice_code,
        )
        code = customer_reason(failure.decline_code, failure.failure_code, verdict.decline)
        return customer_text(code)

    @property
    def is_being_tried(self) -> bool:
        """Whether a charge is under way, or nobody knows yet what became of one."""
        return self.state in ("attempting", "unknown")


async def find_failed_payment(
    unit: Unit, customer_id: str, invoice_id: str
) -> FailedPayment | None:
    """What failed about one of the customer's invoices; None where nothing did, or it is paid."""
    document = await unit.fetchval(
        """
        select document::text
        from failed_payment_documents
        where tenant_id = $1
        and customer_id = $2
        and id = $3
        """,
        unit.tenant_id,
        customer_id,
        invoice_id,
    )
    return None if document is None else msgspec.json.decode(document, type=FailedPayment)


async def failed_payments_of(
    unit: Unit, customer_id: str, subscription_id: str
) -> tuple[FailedPayment, ...]:
    """What failed of one subscription, oldest first."""
    rows = await unit.fetch(
        """
        select document::text
        from failed_payment_documents
        where tenant_id = $1
        and customer_id = $2
        and subscription_id = $3
        order by created_at, id
        limit 20
        """,
        unit.tenant_id,
        customer_id,
        subscription_id,
    )
    return tuple(msgspec.json.decode(row["document"], type=FailedPayment) for row in rows)


class Declined(msgspec.Struct, frozen=True):
    """When a payment method was last declined for an invoice."""

    payment_method_id: str
    at: datetime
    #: Whether trying it again cannot help.
    is_dead: bool
    #: Whether it was refused for good, whatever is changed about it.
    is_final: bool = False


async def declines_of(unit: Unit, invoice_id: str) -> dict[str, Declined]:
    """By payment method, those whose last attempt at the invoice failed.

    Ours are known before the mirror is told of them.
    """
    rows = await unit.fetch(
        """
        select distinct on (attempt.payment_method_id)
          attempt.payment_method_id,
          attempt.at,
          attempt.failed,
          attempt.decline_code,
          attempt.failure_code,
          attempt.advice_code,
          attempt.network,
          attempt.network_decline_code,
          attempt.network_advice_code
        from (
          select
            held.payment_method_id,
            held.created_at as at,
            held.status = 'failed' as failed,
            held.decline_code,
            held.failure_code,
            held.advice_code,
            held.network,
            held.network_decline_code,
            held.network_advice_code
          from invoice_payments as payment
          join payment_attempts as held
            on held.tenant_id = payment.tenant_id
            and held.payment_intent_id = payment.payment_intent_id
          where payment.tenant_id = $1
          and payment.invoice_id = $2
          union all
          select
            own.payment_method_id,
            own.started_at,
            true,
            own.decline_code,
            null,
            own.advice_code,
            own.network,
            own.network_decline_code,
            own.network_advice_code
          from dunning_attempts as own
          where own.tenant_id = $1
          and own.invoice_id = $2
          and own.state = 'declined'
          and not exists (
            select
            from payment_attempts as held
            where held.tenant_id = $1
            and held.id = own.charge_id
          )
        ) as attempt
        where attempt.payment_method_id is not null
        order by attempt.payment_method_id, attempt.at desc
        """,
        unit.tenant_id,
        invoice_id,
    )
    return {row["payment_method_id"]: _declined(row) for row in rows if row["failed"]}


def _declined(row: asyncpg.Record) -> Declined:
    verdict = classify(
        decline_code=row["decline_code"],
        failure_code=row["failure_code"],
        advice_code=row["advice_code"],
        network=row["network"],
        network_decline_code=row["network_decline_code"],
        network_advice_code=row["network_advice_code"],
    )
    return Declined(
        payment_method_id=row["payment_method_id"],
        at=row["at"],
        is_dead=verdict.decline in ("never", "new_card"),
        is_final=verdict.decline == "never",
    )
