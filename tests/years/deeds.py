"""What customers and merchants do about invoices that are not paid."""

from collections import Counter

import stripe

from tests.payments.hosted import submit
from tests.years.merchant import FAILURES, Merchant
from tests.years.people import NEW_CARDS, TYPED_NUMBER, Person

#: How likely each is, on each day on which somebody owes something.
_DEEDS = {
    "takes another card": 0.05,
    "pays at the hosted page": 0.05,
    "adds a card besides": 0.02,
    "cancels": 0.006,
    "has it voided": 0.006,
    "pays elsewhere": 0.006,
    "is written off": 0.004,
}


async def act(merchant: Merchant, tally: Counter[str]) -> None:
    """Let everybody who owes something do something about it, or nothing."""
    owed: dict[str, stripe.Invoice] = {}
    for invoice in await merchant.open_invoices():
        owed[str(invoice.customer)] = invoice
    for person in merchant.people:
        invoice_owed = owed.get(person.id)
        if invoice_owed is None or person.is_plain:
            continue
        left = merchant.chance.random()
        for deed, likely in _DEEDS.items():
            left -= likely
            if left < 0:
                await _do(merchant, person, invoice_owed, deed, tally)
                break


async def _do(
    merchant: Merchant, person: Person, invoice: stripe.Invoice, deed: str, tally: Counter[str]
) -> None:
    try:
        await _DOING[deed](merchant, person, invoice)
    except FAILURES:
        tally[f"{deed}, in vain"] += 1
    else:
        tally[deed] += 1


async def _take_card(merchant: Merchant, person: Person, _invoice: stripe.Invoice) -> None:
    card = await merchant.shop.set_card(person.id, merchant.chance.choice(NEW_CARDS))
    person.take_card(card)
    await merchant.set_cards()


async def _add_card(merchant: Merchant, person: Person, _invoice: stripe.Invoice) -> None:
    card = merchant.chance.choice(NEW_CARDS)
    await merchant.sdk.payment_methods.attach_async(card, {"customer": person.id})


async def _pay(_merchant: Merchant, _person: Person, invoice: stripe.Invoice) -> None:
    page = str(invoice.hosted_invoice_url)
    typed = {"expiry": "12 / 40", "cvc": "1234", "name": "Ada Lovelace"}
    await submit(page, method="new", number=TYPED_NUMBER, **typed)


async def _cancel(merchant: Merchant, person: Person, _invoice: stripe.Invoice) -> None:
    await merchant.sdk.subscriptions.cancel_async(person.subscription)


async def _void(merchant: Merchant, _person: Person, invoice: stripe.Invoice) -> None:
    await merchant.sdk.invoices.void_invoice_async(str(invoice.id))


async def _write_off(merchant: Merchant, _person: Person, invoice: stripe.Invoice) -> None:
    await merchant.sdk.invoices.mark_uncollectible_async(str(invoice.id))


async def _pay_elsewhere(merchant: Merchant, _person: Person, invoice: stripe.Invoice) -> None:
    await merchant.sdk.invoices.pay_async(str(invoice.id), {"paid_out_of_band": True})


_DOING = {
    "takes another card": _take_card,
    "pays at the hosted page": _pay,
    "adds a card besides": _add_card,
    "cancels": _cancel,
    "has it voided": _void,
    "pays elsewhere": _pay_elsewhere,
    "is written off": _write_off,
}
