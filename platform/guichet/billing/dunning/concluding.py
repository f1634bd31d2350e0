"""What became of payments that customers make: asked of the provider, and written down."""

from uuid import UUID

import msgspec

from guichet.billing.dunning.attempts.confirming import look_for_payment, outcome_of_confirmation
from guichet.billing.dunning.attempts.outcomes import Outcome, outcome_of_error
from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.steps.settling import Shown, settle_attempt
from guichet.billing.mirror import draw_copy_no
from guichet.db import Database, Unit
from guichet.payments.answers import Confirmation
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider
from guichet.tenancy import Directory
from tenants.configuration import NOTHING_PUBLISHED, Published


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
    One that was given up and may have been made all the same is answered as `unknown` where the
    provider does not tell.
    """
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
        others = await _accounted_for(unit, payment)
    told = await look_for_payment(provider, payment, others)
    if told.state == "unknown" and not payment.is_open:
        return in_doubt(payment)
    return await _settle(db, directory, tenant_id, payment, told, copy_no)


def in_doubt(payment: Attempt) -> Attempt:
    """A payment as it is as long as the provider does not tell what became of it."""
    return msgspec.structs.replace(payment, state="unknown", finished_at=None)


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
