"""Paying an invoice with its customer present: asked for once, and its outcome looked up.

The payment is a row before the provider is asked, named by a token of the form that was sent: two
clicks, the back button and a reload all come upon that row.
"""

import asyncio
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from litestar.response.base import ASGIResponse

from guichet.billing.card_pages import find_page
from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.paying import (
    NothingToPay,
    PaymentUnderWay,
    RetryUnderWay,
    start_customer_payment,
    wake_unknown,
)
from guichet.billing.dunning.running import RUN_DUNNING
from guichet.errors import Conflict, InvalidInput, TooManyRequests
from guichet.payments.answers import Confirmation
from guichet.payments.errors import ProviderError, ProviderUnreachable
from guichet.portal.leaving import leave_for
from guichet.portal.methods import open_setup, take_over
from guichet.portal.payer import Payer, read_debt
from guichet.portal.payment_pages import show_pay_page, to_result
from guichet.portal.payment_results import (
    PAUSE_S,
    WAIT_S,
    find_payment,
    is_old,
    look_for,
    settle,
)
from guichet.portal.visit import Visit
from guichet.web.forms import Form, MissingField

_log = structlog.get_logger()

#: Longer than the provider may take to answer.
_PAYING_S = 12


class NoMethodChosen(InvalidInput):
    """Please choose what to pay with."""

    code = "no_method_chosen"


async def pay(visit: Visit, payer: Payer, form: Form) -> ASGIResponse:
    """Pay with the chosen method and go to the outcome, or to the bank that wants to be asked."""
    try:
        method_id, token = form.get("method", ""), UUID(form["token"])
    except (KeyError, ValueError) as error:
        raise MissingField from error
    if not method_id:
        return await show_pay_page(visit, payer, NoMethodChosen())
    return await _pay_with(visit, payer, method_id, token)


async def enter_card(visit: Visit, payer: Payer) -> ASGIResponse:
    """Go to the provider's page that takes another card; what comes back is charged at once."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        debt = await read_debt(unit, payer)
    if not debt.is_payable:
        return await show_pay_page(visit, payer)
    try:
        return await open_setup(
            visit, payer.customer_id, f"{payer.page}/card", payer.page, payer.invoice_id
        )
    except (TooManyRequests, ProviderError) as error:
        return await show_pay_page(visit, payer, error)


async def pay_with_new_card(visit: Visit, payer: Payer, page_id: str) -> ASGIResponse:
    """Make the card that was left at the provider's page the default, and pay with it.

    Once for each such page, however often its address is opened: the payment is named by it. A page
    that was opened for another invoice pays nothing here.
    """
    token = uuid5(NAMESPACE_URL, f"{payer.invoice_id} {page_id}")
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        page = await find_page(unit, page_id, payer.customer_id, payer.invoice_id)
    if await find_payment(visit, payer, token) is not None:
        return to_result(visit, payer, token)
    if visit.is_head:
        return visit.redirect(payer.page)
    try:
        method_id = await take_over(visit, payer.customer_id, page)
    except (Conflict, ProviderError) as error:
        return await show_pay_page(visit, payer, error)
    if method_id is None or not page.is_recent:
        return visit.redirect(payer.page)
    return await _pay_with(visit, payer, method_id, token)


async def _pay_with(visit: Visit, payer: Payer, method_id: str, token: UUID) -> ASGIResponse:
    if await find_payment(visit, payer, token) is not None:
        return to_result(visit, payer, token)
    try:
        payment = await _start(visit, payer, method_id, token)
    except NothingToPay:
        return visit.redirect(payer.page)
    except (Conflict, TooManyRequests) as refusal:
        return await show_pay_page(visit, payer, refusal)
    if payment is None:
        return to_result(visit, payer, token)
    bank = await _carry_out(visit, payer, payment, token)
    return leave_for(visit, bank) if bank else to_result(visit, payer, token)


async def _start(visit: Visit, payer: Payer, method_id: str, token: UUID) -> Attempt | None:
    """Write the payment down; None where another click on the same button has.

    An earlier one whose answer never came is looked for first. A retry of ours is waited for: the
    worker tries a new card as soon as it hears of it, and looks now for what it would look for
    later. Raises a `Conflict`.
    """
    waited = 0.0
    while True:
        try:
            return await _write(visit, payer, method_id, token)
        except RetryUnderWay:
            if waited >= WAIT_S:
                raise
            if not waited:
                await _hurry(visit, payer)
            await asyncio.sleep(PAUSE_S)
            waited += PAUSE_S
        except PaymentUnderWay as refusal:
            if not is_old(refusal.payment) or waited >= WAIT_S:
                raise
            await look_for(visit, refusal.payment)
            waited = WAIT_S


async def _hurry(visit: Visit, payer: Payer) -> None:
    """Have a worker look what became of a retry of ours, if it has put that off."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        is_woken = await wake_unknown(unit, payer.invoice_id)
    if is_woken:
        await visit.deployment.outbox.knock(RUN_DUNNING, str(visit.tenant.id))


async def _write(visit: Visit, payer: Payer, method_id: str, token: UUID) -> Attempt | None:
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        payment = await start_customer_payment(
            unit, payer.customer_id, payer.invoice_id, method_id, token
        )
        # A row of this very transaction has its time.
        is_new = payment.sent_at == await unit.fetchval("select now()")
    return payment if is_new else None


async def _carry_out(visit: Visit, payer: Payer, payment: Attempt, token: UUID) -> str | None:
    """Ask the provider and settle; answers the bank's page where the bank wants to be asked."""
    outcome: Confirmation | ProviderError
    try:
        provider = await visit.deployment.providers.client(visit.tenant.id)
        async with asyncio.timeout(_PAYING_S):
            outcome = await provider.confirm_payment(
                payment.invoice_id,
                f"{visit.origin}{payer.result}?payment={token}",
                payment.idempotency_key,
                payment.payment_method_id,
            )
    except ProviderError as error:
        outcome = error
    except TimeoutError:
        outcome = ProviderUnreachable()
    try:
        await settle(visit, payment, outcome)
    except Exception:
        # It is written down, so a worker settles it; no page may say that nothing was charged.
        _log.exception("payment left unfinished", request_id=visit.request_id)
    return outcome.url if isinstance(outcome, Confirmation) else None
