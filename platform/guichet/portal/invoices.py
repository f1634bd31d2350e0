"""The list of invoices, and the way to a document that the provider keeps."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.invoices import find_invoice, list_invoices
from guichet.errors import NotFound
from guichet.payments.answers import InvoiceLinks
from guichet.portal.read_only import READS
from guichet.portal.switches import INVOICES
from guichet.portal.visit import Visit


class DocumentNotReady(NotFound):
    """This document does not exist yet. A receipt exists once the invoice is paid."""

    code = "document_not_ready"


@get("/invoices", opt=INVOICES | READS)
async def invoices(
    visit: NamedDependency[Visit],
    after: Annotated[str | None, QueryParameter(name="after", max_length=150)] = None,
) -> ASGIResponse:
    """A page of the customer's invoices, newest first."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        page = await list_invoices(unit, session.customer_id, after)
    return visit.page(
        "invoices.html",
        invoices=page.invoices,
        older=f"/invoices?after={page.older}" if page.older else None,
        newest="/invoices" if after else None,
    )


@get("/invoices/{invoice_id:str}/pdf", opt=INVOICES | READS)
async def invoice_pdf(
    visit: NamedDependency[Visit],
    invoice_id: Annotated[str, PathParameter(max_length=255)],
) -> ASGIResponse:
    """Go to the invoice as a PDF. The provider's addresses expire, so each is asked for anew."""
    links = await _links(visit, invoice_id)
    return _go(visit, links.pdf_url)


@get("/invoices/{invoice_id:str}/receipt", opt=INVOICES | READS)
async def invoice_receipt(
    visit: NamedDependency[Visit],
    invoice_id: Annotated[str, PathParameter(max_length=255)],
) -> ASGIResponse:
    """Go to the receipt of an invoice's payment."""
    links = await _links(visit, invoice_id)
    return _go(visit, links.receipt_url)


async def _links(visit: Visit, invoice_id: str) -> InvoiceLinks:
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        invoice = await find_invoice(unit, session.customer_id, invoice_id)
    provider = await visit.deployment.providers.client(visit.tenant.id)
    links = await provider.invoice_links(invoice.id)
    if links is None:
        raise DocumentNotReady
    return links


def _go(visit: Visit, url: str | None) -> ASGIResponse:
    if url is None:
        raise DocumentNotReady
    return visit.redirect(url)
