"""The link of a mail about one unpaid invoice: to see it, pay it or add a card, without sign-in.

Whoever holds the link may do that and nothing else. Opening it changes nothing: mail programs look
at links before people do. It ends after 30 days, when the invoice is no longer open, and when the
customer has another address: the old one may be a stranger's.
"""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response import Response
from litestar.response.base import ASGIResponse

from guichet.auth.csrf import check_form, csrf_token
from guichet.auth.mail_links import read_link_token
from guichet.billing.invoices import find_invoice
from guichet.db import Unit
from guichet.errors import GuichetError, NotFound
from guichet.messages.log import Message, find_message
from guichet.portal import paying, payment_results
from guichet.portal.methods import SessionId
from guichet.portal.pay import PaymentToken
from guichet.portal.payer import Payer
from guichet.portal.payment_pages import show_pay_page
from guichet.portal.visit import HTML, Visit, visit_at
from guichet.web.forms import AnyRequest, Form, read_form

Token = Annotated[str, PathParameter(max_length=100)]

#: As long as the longest window of retries, about: older mails lead to the sign-in.
_VALID = timedelta(days=30)


class LinkOver(GuichetError):
    """This link has expired."""

    title = "This link has expired"
    status = 410
    code = "link_over"


def _show_over(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Where to go on when a link has ended; `error` is the `LinkOver`."""
    page = visit_at(request).page("link_over.html", status=LinkOver.status)
    return Response(page.body, status_code=LinkOver.status, media_type=HTML)


_OVER: dict[int | type[Exception], Any] = {LinkOver: _show_over}


@get("/fix/{fix_token:str}", exception_handlers=_OVER)
async def show(visit: NamedDependency[Visit], fix_token: Token) -> ASGIResponse:
    """What is owed and why, with what it can be paid."""
    return await show_pay_page(visit, await _payer(visit, fix_token))


@post("/fix/{fix_token:str}", status_code=200, exception_handlers=_OVER)
async def pay(visit: NamedDependency[Visit], fix_token: Token, request: AnyRequest) -> ASGIResponse:
    """Pay with one of the customer's methods."""
    form = await read_form(request)
    return await paying.pay(visit, await _payer(visit, fix_token, form), form)


@post("/fix/{fix_token:str}/card", status_code=200, exception_handlers=_OVER)
async def enter_card(
    visit: NamedDependency[Visit], fix_token: Token, request: AnyRequest
) -> ASGIResponse:
    """Go and enter another card, to pay with it."""
    form = await read_form(request)
    return await paying.enter_card(visit, await _payer(visit, fix_token, form))


@get("/fix/{fix_token:str}/card", exception_handlers=_OVER)
async def card_entered(
    visit: NamedDependency[Visit], fix_token: Token, session: SessionId
) -> ASGIResponse:
    """Back from the provider's page: pay with what was left there."""
    return await paying.pay_with_new_card(visit, await _payer(visit, fix_token), session)


@get("/fix/{fix_token:str}/paid", exception_handlers=_OVER)
async def show_result(
    visit: NamedDependency[Visit], fix_token: Token, payment: PaymentToken
) -> ASGIResponse:
    """What became of a payment."""
    return await payment_results.show_result(visit, await _payer(visit, fix_token), payment)


async def _payer(visit: Visit, token: str, form: Form | None = None) -> Payer:
    """Who the link's mail was sent to, at its invoice; raises `NotFound` or `LinkOver`."""
    keys = visit.deployment.settings.master_keys
    message_id = read_link_token(keys, visit.tenant.id, token, "fix")
    if message_id is None:
        raise NotFound
    if form is not None:
        given = form.get("csrf")
        check_form(visit.scope["headers"], given, token, visit.tenant.id, visit.origin)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        message, invoice_id = await _find_debt(unit, message_id)
    page = f"/fix/{token}"
    csrf = csrf_token(token, visit.tenant.id)
    return Payer(message.customer_id, invoice_id, page, f"{page}/paid", csrf)


async def _find_debt(unit: Unit, message_id: UUID) -> tuple[Message, str]:
    message = await find_message(unit, message_id)
    if message is None:
        raise NotFound
    invoice_id = message.facts.get("invoice_id")
    if not isinstance(invoice_id, str):
        # What old mails were about is erased.
        raise LinkOver
    await find_invoice(unit, message.customer_id, invoice_id)
    is_valid = await unit.fetchval(
        """
        select true
        from customers
        where tenant_id = $1
        and id = $2
        and not deleted
        and lower(email) = lower($3::text)
        and $4::timestamptz > now() - $5::interval
        """,
        unit.tenant_id,
        message.customer_id,
        message.recipient,
        message.queued_at,
        _VALID,
    )
    if not is_valid:
        raise LinkOver
    return message, invoice_id


HANDLERS = (show, pay, enter_card, card_entered, show_result)
