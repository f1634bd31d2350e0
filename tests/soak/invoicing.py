"""What a merchant does to invoices, and to money that was paid."""

from typing import Any

from tests.soak.account import Account


async def charge_extra(account: Account) -> None:
    """An item that waits for the next invoice."""
    person = account.pick(account.people)
    wanted: Any = {
        "customer": person.id,
        "amount": account.chance.randint(-500, 4000),
        "currency": "eur",
        "description": account.word(),
    }
    await account.sdk.invoice_items.create_async(wanted)


async def invoice_by_hand(account: Account) -> None:
    """A draft, which may be finalized at once or left for later."""
    person = account.pick(account.people)
    sent = account.chance.random() < 0.3
    wanted: Any = {
        "customer": person.id,
        "auto_advance": account.chance.random() < 0.5,
        "collection_method": "send_invoice" if sent else "charge_automatically",
    }
    if sent:
        wanted["days_until_due"] = 14
    invoice = await account.sdk.invoices.create_async(wanted)
    for _ in range(account.chance.randint(0, 3)):
        item: Any = {
            "customer": person.id,
            "invoice": invoice.id,
            "amount": account.chance.randint(1, 4000),
            "currency": "eur",
        }
        await account.sdk.invoice_items.create_async(item)
    if invoice.id and account.chance.random() < 0.7:
        await account.sdk.invoices.finalize_invoice_async(invoice.id)


async def change_draft(account: Account) -> None:
    """An item less, another text, or no draft at all."""
    invoice = await account.invoice("draft")
    assert invoice.id
    if account.chance.random() < 0.4:
        await account.sdk.invoices.delete_async(invoice.id)
        return
    items: Any = {"invoice": invoice.id, "limit": 20}
    listed = await account.sdk.invoice_items.list_async(items)
    item = account.pick([it.id for it in listed.data])
    if account.chance.random() < 0.5:
        await account.sdk.invoice_items.delete_async(item)
    else:
        change: Any = {"description": account.word(), "amount": account.chance.randint(1, 4000)}
        await account.sdk.invoice_items.update_async(item, change)


async def finalize_draft(account: Account) -> None:
    invoice = await account.invoice("draft")
    assert invoice.id
    await account.sdk.invoices.finalize_invoice_async(invoice.id)


async def settle_invoice(account: Account) -> None:
    invoice = await account.invoice("open")
    assert invoice.id
    service = account.sdk.invoices
    match account.chance.randrange(5):
        case 0:
            await service.pay_async(invoice.id, {"paid_out_of_band": True})
        case 1:
            await service.void_invoice_async(invoice.id)
        case 2:
            await service.mark_uncollectible_async(invoice.id)
        case _:
            await service.pay_async(invoice.id)


async def refund(account: Account) -> None:
    listed = await account.sdk.charges.list_async({"limit": 40})
    charge = account.pick([it for it in listed.data if it.paid and not it.refunded])
    wanted: Any = {"charge": charge.id}
    if account.chance.random() < 0.7:
        wanted["amount"] = account.chance.randint(1, max(1, charge.amount // 2))
    await account.sdk.refunds.create_async(wanted)


async def credit(account: Account) -> None:
    """A note on an invoice that is open or paid; once in a while it is taken back."""
    invoice = await account.invoice("open", "paid")
    amount = account.chance.randint(1, max(1, invoice.total // 2))
    wanted: Any = {"invoice": invoice.id, "amount": amount}
    if invoice.status == "paid":
        way = account.chance.choice(["credit_amount", "refund_amount", "out_of_band_amount"])
        wanted[way] = amount
    note = await account.sdk.credit_notes.create_async(wanted)
    if invoice.status == "open" and account.chance.random() < 0.3:
        await account.sdk.credit_notes.void_credit_note_async(note.id)
