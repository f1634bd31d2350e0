"""Paying one of the signed-in customer's invoices."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.invoices import find_invoice
from guichet.portal import paying, payment_results
from guichet.portal.methods import SessionId
from guichet.portal.payer import Payer
from guichet.portal.payment_pages import show_pay_page
from guichet.portal.read_only import READS
from guichet.portal.visit import Visit
from guichet.web.forms import AnyRequest, Form, read_form

InvoiceId = Annotated[str, PathParameter(max_length=255)]
PaymentToken = Annotated[UUID, QueryParameter(name="payment")]


@get("/invoices/{invoice_id:str}/pay", opt=READS)
async def show(visit: NamedDependency[Visit], invoice_id: InvoiceId) -> ASGIResponse:
    """What is owed and why, with what it can be paid."""
    return await show_pay_page(visit, await _payer(visit, invoice_id))


@post("/invoices/{invoice_id:str}/pay", status_code=200)
async def pay(
    visit: NamedDependency[Visit], invoice_id: InvoiceId, request: AnyRequest
) -> ASGIResponse:
    """Pay with one of the customer's methods."""
    form = await read_form(request)
    return await paying.pay(visit, await _payer(visit, invoice_id, form), form)


@post("/invoices/{invoice_id:str}/pay/card", status_code=200)
async def enter_card(
    visit: NamedDependency[Visit], invoice_id: InvoiceId, request: AnyRequest
) -> ASGIResponse:
    """Go and enter another card, to pay with it."""
    form = await read_form(request)
    return await paying.enter_card(visit, await _payer(visit, invoice_id, form))


@get("/invoices/{invoice_id:str}/pay/card")
async def card_entered(
    visit: NamedDependency[Visit], invoice_id: InvoiceId, session: SessionId
) -> ASGIResponse:
    """Back from the provider's page: pay with what was left there."""
    return await paying.pay_with_new_card(visit, await _payer(visit, invoice_id), session)


@get("/invoices/{invoice_id:str}/paid")
async def show_result(
    visit: NamedDependency[Visit], invoice_id: InvoiceId, payment: PaymentToken
) -> ASGIResponse:
    """What became of a payment."""
    return await payment_results.show_result(visit, await _payer(visit, invoice_id), payment)


async def _payer(visit: Visit, invoice_id: str, form: Form | None = None) -> Payer:
    """The signed-in customer at an invoice of theirs; whose form, if any, is ours."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        if form is not None:
            visit.check_form(form)
        invoice = await find_invoice(unit, session.customer_id, invoice_id)
    place = f"/invoices/{invoice.id}"
    return Payer(session.customer_id, invoice.id, f"{place}/pay", f"{place}/paid", visit.csrf)


HANDLERS = (show, pay, enter_card, card_entered, show_result)
