"""Books of merchants with a year behind them: whatever happens to invoices, no rule is broken."""

from typing import Any

import pytest
import stripe

from guichet.billing.books import Books, check_books
from guichet.billing.importing import import_tenant
from guichet.demo.merchants import LUMEN, MARMITE, VOLTA, Merchant
from guichet.settings import Settings
from tests.portal.shop import Shop, open_shop


async def _check(shop: Shop) -> Books:
    db, tenant = shop.deployment.db, shop.tenant_id
    provider = await shop.deployment.providers.client(tenant)
    books = await check_books(db, provider, tenant, repair=False, rate=1000, settle_s=0)
    assert books is not None
    return books


@pytest.mark.parametrize("merchant", [LUMEN, MARMITE, VOLTA], ids=lambda it: it.slug)
async def test_a_year_of_trade_is_in_order(settings: Settings, merchant: Merchant) -> None:
    async with open_shop(settings, merchant) as shop:
        books = await _check(shop)
    assert books.differences == []
    assert books.objects > 50


async def _invoice(sdk: Any, customer: str, amount: int) -> stripe.Invoice:
    """A finalized invoice of one line, which nobody tries to collect."""
    invoice = await sdk.invoices.create_async({"customer": customer, "auto_advance": False})
    await sdk.invoice_items.create_async(
        {
            "customer": customer,
            "invoice": invoice.id,
            "amount": amount,
            "currency": invoice.currency,
        }
    )
    finalized: stripe.Invoice = await sdk.invoices.finalize_invoice_async(invoice.id)
    return finalized


async def test_whatever_is_done_with_invoices_they_are_in_order(settings: Settings) -> None:
    async with open_shop(settings) as shop:
        sdk = shop.stripe.v1
        ada = await shop.customer_id("ada")
        for act in ("void_invoice_async", "mark_uncollectible_async", "pay_async"):
            invoice = await _invoice(sdk, ada, 1000)
            await getattr(sdk.invoices, act)(invoice.id)
        outside = await _invoice(sdk, ada, 700)
        await sdk.invoices.pay_async(outside.id, {"paid_out_of_band": True})
        await _invoice(sdk, ada, -500)
        await _invoice(sdk, ada, 300)
        credited = await _invoice(sdk, ada, 1000)
        await sdk.credit_notes.create_async({"invoice": credited.id, "amount": 400})
        subscription = await shop.subscription("ada")
        item = subscription.items.data[0]
        await sdk.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": item.id, "quantity": (item.quantity or 1) + 1}],
                "proration_behavior": "always_invoice",
            },
        )
        charges = await sdk.charges.list_async({"customer": ada})
        await sdk.refunds.create_async({"charge": charges.data[0].id})
        provider = await shop.deployment.providers.client(shop.tenant_id)
        await import_tenant(shop.deployment.db, provider, shop.tenant_id)
        books = await _check(shop)
    assert books.differences == []
