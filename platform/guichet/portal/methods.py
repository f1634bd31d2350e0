"""What the customer pays with: listed, put in order, removed and added."""

from typing import Annotated, get_args
from uuid import uuid4

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.card_pages import CardPage, find_page, note_taken, remember_page
from guichet.billing.dunning.throttling import note_card_page
from guichet.billing.method_changes import LastMethod, MethodChange, Place
from guichet.billing.news import FOLLOW_NEWS
from guichet.billing.payment_methods import MethodBook, read_methods
from guichet.errors import Conflict, GuichetError, NotFound, TooManyRequests
from guichet.payments.answers import SetupPage
from guichet.payments.errors import ProviderError
from guichet.payments.orders import SetupOrder
from guichet.portal.leaving import leave_for
from guichet.portal.read_only import READS
from guichet.portal.switches import PAYMENT_METHODS
from guichet.portal.visit import Visit
from guichet.web.forms import AnyRequest, MissingField, read_form

MethodId = Annotated[str, PathParameter(max_length=255)]
SessionId = Annotated[str, QueryParameter(name="session", max_length=255)]

_HERE = "/payment-methods"


@get("/payment-methods", opt=PAYMENT_METHODS | READS)
async def list_methods(visit: NamedDependency[Visit]) -> ASGIResponse:
    """The payment methods in the order in which they are charged."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        book = await read_methods(unit, session.customer_id)
    return _show(visit, book)


@post("/payment-methods", opt=PAYMENT_METHODS, status_code=200)
async def add_method(visit: NamedDependency[Visit], request: AnyRequest) -> ASGIResponse:
    """Go to the provider's page that takes a card."""
    customer_id = await _receive(visit, request)
    try:
        return await open_setup(visit, customer_id, f"{_HERE}/added", _HERE)
    except (TooManyRequests, ProviderError) as error:
        return await _show_again(visit, customer_id, error)


@get("/payment-methods/added", opt=PAYMENT_METHODS)
async def method_added(visit: NamedDependency[Visit], session: SessionId) -> ASGIResponse:
    """Make what the customer left at the provider's page the default."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        customer_id = (await visit.identify(unit)).customer_id
        page = await find_page(unit, session, customer_id, None)
    if visit.is_head:
        return visit.redirect(_HERE)
    try:
        await take_over(visit, customer_id, page)
    except (Conflict, ProviderError) as error:
        return await _show_again(visit, customer_id, error)
    finally:
        await visit.deployment.outbox.knock(FOLLOW_NEWS, str(visit.tenant.id))
    return visit.redirect(_HERE)


@post("/payment-methods/{method_id:str}/order", opt=PAYMENT_METHODS, status_code=200)
async def order_method(
    visit: NamedDependency[Visit], method_id: MethodId, request: AnyRequest
) -> ASGIResponse:
    """Give a method another place in the order."""
    form = await read_form(request)
    customer_id = await _receive(visit, request, form)
    place = form.get("to")
    for known in get_args(Place):
        if place == known:
            return await _change(visit, customer_id, method_id, known)
    raise MissingField


@get("/payment-methods/{method_id:str}/remove", opt=PAYMENT_METHODS | READS)
async def ask_to_remove(visit: NamedDependency[Visit], method_id: MethodId) -> ASGIResponse:
    """What removing a method means, with one button that does it."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        book = await read_methods(unit, session.customer_id)
    return _ask(visit, book, method_id)


@post("/payment-methods/{method_id:str}/remove", opt=PAYMENT_METHODS, status_code=200)
async def remove_method(
    visit: NamedDependency[Visit], method_id: MethodId, request: AnyRequest
) -> ASGIResponse:
    """Remove a method; a second click finds it gone and goes to the list."""
    customer_id = await _receive(visit, request)
    return await _change(visit, customer_id, method_id, None)


async def open_setup(
    visit: Visit,
    customer_id: str,
    success_path: str,
    cancel_path: str,
    invoice_id: str | None = None,
) -> ASGIResponse:
    """Open the provider's page that takes a card; it leads back with `session` in the query.

    With an invoice the card is to pay that one, and no other. Raises `TooManyCardPages` for who
    opens pages again and again.
    """
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        await note_card_page(unit, customer_id, visit.request_id)
    provider = await visit.deployment.providers.client(visit.tenant.id)
    order = SetupOrder(
        customer_id=customer_id,
        success_url=f"{visit.origin}{success_path}?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{visit.origin}{cancel_path}",
        locale=visit.locale,
    )
    page = await provider.open_setup_page(order, f"guichet-setup-{uuid4()}")
    if page.url is None:
        raise ProviderError
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        await remember_page(unit, page.id, customer_id, invoice_id)
    return leave_for(visit, page.url)


async def take_over(visit: Visit, customer_id: str, page: CardPage) -> str | None:
    """Make what was left at a page of this customer's the default, once; answers the method.

    None where nothing was left there yet. Raises `NotFound` for what is not theirs.
    """
    if page.payment_method_id is not None:
        return page.payment_method_id
    provider = await visit.deployment.providers.client(visit.tenant.id)
    left: SetupPage | None = await provider.fetch_setup_page(page.id)
    if left is None or left.customer_id != customer_id:
        raise NotFound
    if left.payment_method_id is None:
        return None
    await (await change_of(visit, customer_id)).add(left.payment_method_id)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        await note_taken(unit, page.id, left.payment_method_id)
    return left.payment_method_id


async def change_of(visit: Visit, customer_id: str) -> MethodChange:
    """A change that this request asks for."""
    return MethodChange(
        db=visit.deployment.db,
        provider=await visit.deployment.providers.client(visit.tenant.id),
        tenant_id=visit.tenant.id,
        customer_id=customer_id,
        request_id=visit.request_id,
    )


async def _receive(visit: Visit, request: AnyRequest, form: dict[str, str] | None = None) -> str:
    """Whose form it is that was sent."""
    form = await read_form(request) if form is None else form
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        visit.check_form(form)
    return session.customer_id


async def _change(
    visit: Visit, customer_id: str, method_id: str, place: Place | None
) -> ASGIResponse:
    """Make a change, and show the list with what is wrong where it was not made."""
    try:
        change = await change_of(visit, customer_id)
        if place is None:
            await change.remove(method_id)
        else:
            await change.place(method_id, place)
    except (Conflict, ProviderError) as error:
        return await _show_again(visit, customer_id, error)
    finally:
        await visit.deployment.outbox.knock(FOLLOW_NEWS, str(visit.tenant.id))
    return visit.redirect(_HERE)


async def _show_again(visit: Visit, customer_id: str, error: GuichetError) -> ASGIResponse:
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        book = await read_methods(unit, customer_id)
    return _show(visit, book, error)


def _show(visit: Visit, book: MethodBook, error: GuichetError | None = None) -> ASGIResponse:
    return visit.page(
        "payment_methods.html",
        status=error.status if error else 200,
        book=book,
        message=error.message if error else None,
    )


def _ask(visit: Visit, book: MethodBook, method_id: str) -> ASGIResponse:
    method = book.find(method_id)
    refusal = LastMethod() if book.has_live_subscription and len(book.all) == 1 else None
    return visit.page(
        "remove_method.html",
        status=refusal.status if refusal else 200,
        method=method,
        is_default=method.id == book.first,
        message=refusal.message if refusal else None,
    )


HANDLERS = (list_methods, add_method, method_added, order_method, ask_to_remove, remove_method)
