"""Invoices that somebody owes, and the attempts to pay them."""

from guichet.payments.copies import AttemptCopy, InvoiceCopy
from tests.shops import Shop


async def owe(shop: Shop, card: str | None = "pm_card_visa") -> InvoiceCopy:
    """An open invoice of 30 euros, and a customer with this card as the default."""
    customer = await shop.sdk.customers.create_async({"email": "ada@example.com"})
    draft = await shop.sdk.invoices.create_async(
        {"customer": customer.id, "currency": "eur", "auto_advance": False}
    )
    await shop.sdk.invoice_items.create_async(
        {"customer": customer.id, "invoice": draft.id, "amount": 3000, "currency": "eur"}
    )
    invoice = await shop.port.finalize_invoice(draft.id, f"finalize {draft.id}")
    assert (invoice.status, invoice.amount_due) == ("open", 3000)
    if card is not None:
        await shop.set_card(customer.id, card)
    return invoice


async def attempts(shop: Shop) -> list[AttemptCopy]:
    return [each async for each in shop.port.list_attempts()]
