"""What became of a payment: looked up, never believed from an address.

What leads back from the bank says how it went, and anybody could have written it.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from litestar.response.base import ASGIResponse

from guichet.billing.dunning.cases.cases import UNDER_WAY, Attempt
from guichet.billing.dunning.concluding import (
    find_customer_payment,
    in_doubt,
    look_at_customer_payment,
    settle_customer_payment,
)
from guichet.billing.dunning.decisions.reasons import customer_reason, customer_text
from guichet.billing.news import FOLLOW_NEWS
from guichet.errors import InvalidInput, NotFound
from guichet.messages.queueing import SEND_MESSAGES
from guichet.payments.answers import Confirmation
from guichet.payments.errors import ProviderError
from guichet.portal.payer import Debt, Payer, read_debt
from guichet.portal.payment_pages import show_outcome, show_pay_page
from guichet.portal.visit import Visit

_log = structlog.get_logger()

#: How long the page waits for a payment that is being made before it says so and looks again.
WAIT_S = 3.0
PAUSE_S = 0.2
#: Longer than the provider needs; what it tells later is looked for again.
_LOOKING_S = 8
#: Longer than any request may take, by this machine's clock.
_OLD = timedelta(seconds=30)


class NotCharged(InvalidInput):
    """Nothing was charged: the payment provider does not take this now. Please use another card."""

    code = "not_charged"


async def show_result(visit: Visit, payer: Payer, token: UUID) -> ASGIResponse:
    """What became of a payment; one that is still being made is waited for a little."""
    payment = await _await_end(visit, payer, token)
    confirmation = None
    if _is_in_doubt(payment) and payment.payment_intent_id is not None:
        payment, confirmation = await _look(visit, payment, payment.payment_intent_id)
    elif _is_in_doubt(payment) and is_old(payment):
        payment = await look_for(visit, payment)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        debt = await read_debt(unit, payer)
    outcome = _outcome(payment, debt, confirmation)
    if outcome is None:
        return await show_pay_page(visit, payer, told=_why_not(payment))
    return show_outcome(visit, payer, debt, outcome, confirmation.url if confirmation else None)


async def _await_end(visit: Visit, payer: Payer, token: UUID) -> Attempt:
    payment, waited = await find_payment(visit, payer, token), 0.0
    while payment is not None and payment.state in UNDER_WAY and waited < WAIT_S:
        await asyncio.sleep(PAUSE_S)
        payment, waited = await find_payment(visit, payer, token), waited + PAUSE_S
    if payment is None:
        raise NotFound
    return payment


def _is_in_doubt(payment: Attempt) -> bool:
    """Whether it may have been made: its customer may have confirmed it after it was given up."""
    return payment.is_open or payment.state == "not_made"


def is_old(payment: Attempt) -> bool:
    """Whether no call for it can be under way any more."""
    return datetime.now(UTC) - payment.sent_at > _OLD


async def look_for(visit: Visit, payment: Attempt) -> Attempt:
    """What became of a payment whose answer never came, as far as the provider can tell now."""
    deployment, tenant_id = visit.deployment, visit.tenant.id
    try:
        async with asyncio.timeout(_LOOKING_S):
            provider = await deployment.providers.client(tenant_id)
            seen = await look_at_customer_payment(
                deployment.db, deployment.directory, tenant_id, provider, payment
            )
    except (ProviderError, TimeoutError) as error:
        return _not_seen(visit, payment, error)
    await _have_it_followed(visit)
    return seen


async def _look(
    visit: Visit, payment: Attempt, intent_id: str
) -> tuple[Attempt, Confirmation | None]:
    """How a payment stands at the provider; in doubt where that does not tell in time."""
    try:
        async with asyncio.timeout(_LOOKING_S):
            provider = await visit.deployment.providers.client(visit.tenant.id)
            confirmation = await provider.fetch_confirmation(intent_id)
            if confirmation is not None and confirmation.status != "needs_confirmation":
                payment = await settle(visit, payment, confirmation)
    except (ProviderError, TimeoutError) as error:
        return _not_seen(visit, payment, error), None
    return payment, confirmation


def _not_seen(visit: Visit, payment: Attempt, error: Exception) -> Attempt:
    _log.warning("payment not seen", request_id=visit.request_id, reason=type(error).__name__)
    return in_doubt(payment)


async def settle(visit: Visit, payment: Attempt, outcome: Confirmation | ProviderError) -> Attempt:
    """Write down how a payment stands, and have the workers follow it."""
    deployment, tenant_id = visit.deployment, visit.tenant.id
    provider = await deployment.providers.client(tenant_id)
    settled = await settle_customer_payment(
        deployment.db, deployment.directory, tenant_id, provider, payment, outcome
    )
    await _have_it_followed(visit)
    return settled


async def _have_it_followed(visit: Visit) -> None:
    for job in (FOLLOW_NEWS, SEND_MESSAGES):
        await visit.deployment.outbox.knock(job, str(visit.tenant.id))


async def find_payment(visit: Visit, payer: Payer, token: UUID) -> Attempt | None:
    """The payer's payment of this invoice with the token, if it was ever begun."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        found = await find_customer_payment(unit, payer.customer_id, token=token)
    return found if found is not None and found.invoice_id == payer.invoice_id else None


def _outcome(payment: Attempt, debt: Debt, confirmation: Confirmation | None) -> str | None:
    """The name by which the page words an outcome; None where nothing was charged."""
    if payment.state == "succeeded" or debt.is_paid:
        return "paid"
    match confirmation and confirmation.status:
        case "needs_confirmation":
            return "waiting"
        case "processing":
            return "processing"
        case "succeeded":
            return "unknown"
        case _:
            return "unknown" if payment.is_open else None


def _why_not(payment: Attempt) -> str:
    """Why nothing was charged, in words that a customer understands."""
    if payment.state in ("declined", "needs_authentication"):
        return customer_text(customer_reason(payment.decline_code, None, payment.decline_class))
    return NotCharged().message
