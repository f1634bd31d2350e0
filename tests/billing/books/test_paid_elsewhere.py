"""An invoice whose card was refused, and which was then paid outside of the provider."""

from uuid import UUID

import pytest
import stripe

from guichet.billing.books.within import check_within
from guichet.billing.importing import import_tenant
from guichet.db import Database
from tests.shops import Shop


async def _pay_elsewhere(shop: Shop, db: Database, tenant: UUID) -> str:
    customer = await shop.add_customer(card="pm_card_chargeCustomerFail")
    invoice = await shop.sdk.invoices.create_async({"customer": customer, "auto_advance": False})
    assert invoice.id
    await shop.sdk.invoice_items.create_async(
        {"customer": customer, "invoice": invoice.id, "amount": 900, "currency": invoice.currency}
    )
    await shop.sdk.invoices.finalize_invoice_async(invoice.id)
    with pytest.raises(stripe.CardError):
        await shop.sdk.invoices.pay_async(invoice.id)
    paid = await shop.sdk.invoices.pay_async(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.attempt_count) == ("paid", 1)
    await import_tenant(db, shop.port, tenant)
    return invoice.id


async def test_it_is_in_order(shop: Shop, db: Database, tenant: UUID) -> None:
    await _pay_elsewhere(shop, db, tenant)
    assert await check_within(db, tenant) == []


async def test_without_the_payment_that_was_given_up_it_is_not(
    shop: Shop, db: Database, tenant: UUID
) -> None:
    invoice = await _pay_elsewhere(shop, db, tenant)
    async with db.unit(tenant) as unit:
        await unit.execute(
            "delete from invoice_payments where tenant_id = $1 and invoice_id = $2",
            tenant,
            invoice,
        )
    [told] = await check_within(db, tenant)
    assert (told.rule, told.id) == ("amount_uncovered", invoice)
