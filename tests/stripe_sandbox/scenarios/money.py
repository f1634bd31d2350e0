"""Scenarios of money: coupons, promotion codes, balances, credit notes, refunds, invoices."""

from typing import Any

from tests.stripe_sandbox.scenarios.scenario import (
    HOUR,
    MONTH,
    START,
    Scenario,
    Steps,
    code_of,
    refusal,
    statuses,
    totals,
)
from tests.stripe_sandbox.shop import DAY, Shop

_COUPONS = "https://docs.stripe.com/billing/subscriptions/coupons"
_BALANCE = "https://docs.stripe.com/billing/customer/balance"
_NOTES = "https://docs.stripe.com/invoicing/credit-notes"
_REFUNDS = "https://docs.stripe.com/refunds"
_INVOICES = "https://docs.stripe.com/invoicing/overview"


def _four_months(**coupon: Any) -> Steps:
    """The totals of four monthly invoices of 10 USD, oldest first."""

    async def steps(shop: Shop) -> Any:
        asked: Any = coupon
        made = await shop.account.v1.coupons.create_async(asked)
        await shop.subscribe(await shop.price(1_000), discounts=[{"coupon": made.id}])
        await shop.advance(MONTH + 64 * DAY)
        return (await totals(shop))[::-1]

    return steps


def _amount_off(amount: int, price: int) -> Steps:
    """The total of an invoice with a coupon of an amount off."""

    async def steps(shop: Shop) -> Any:
        coupon = await shop.account.v1.coupons.create_async(
            {"amount_off": amount, "currency": "usd", "duration": "once"}
        )
        await shop.subscribe(await shop.price(price), discounts=[{"coupon": coupon.id}])
        return (await totals(shop))[0]

    return steps


def _stacked(*coupons: Any) -> Steps:
    """The total of 100 USD with several coupons, one after the other."""

    async def steps(shop: Shop) -> Any:
        made = [await shop.account.v1.coupons.create_async(each) for each in coupons]
        discounts = [{"coupon": each.id} for each in made]
        await shop.subscribe(await shop.price(10_000), discounts=discounts)
        return (await totals(shop))[0]

    return steps


def _restricted(words: str, **code: Any) -> Steps:
    """Whether a second purchase of 10 USD is refused with these words."""

    async def steps(shop: Shop) -> Any:
        v1 = shop.account.v1
        price = await shop.price(1_000)
        await shop.subscribe(price)
        coupon = await v1.coupons.create_async({"percent_off": 50, "duration": "once"})
        asked: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, **code}
        made = await v1.promotion_codes.create_async(asked)
        error = await refusal(shop.subscribe(price, discounts=[{"promotion_code": made.id}]))
        return error.http_status, words in str(error)

    return steps


async def _used_up(shop: Shop) -> Any:
    coupon = await shop.account.v1.coupons.create_async(
        {"percent_off": 50, "duration": "once", "max_redemptions": 1}
    )
    price = await shop.price(1_000)
    await shop.subscribe(price, discounts=[{"coupon": coupon.id}])
    error = await refusal(shop.subscribe(price, discounts=[{"coupon": coupon.id}]))
    found = await shop.account.v1.coupons.retrieve_async(coupon.id)
    return error.http_status, found.valid, found.times_redeemed


def _with_balance(balance: int, price: int) -> Steps:
    """What is due of an invoice, and the balance that is left."""

    async def steps(shop: Shop) -> Any:
        customers = shop.account.v1.customers
        await customers.update_async(shop.customer, {"balance": balance})
        await shop.subscribe(await shop.price(price))
        (invoice,) = await shop.invoices()
        left = (await customers.retrieve_async(shop.customer)).balance
        return invoice.total, invoice.amount_due, left

    return steps


async def _noted_before(shop: Shop) -> Any:
    invoice = await _unpaid(shop)
    notes = shop.account.v1.credit_notes
    note = await notes.create_async({"invoice": invoice, "amount": 400})
    less = await shop.account.v1.invoices.retrieve_async(invoice)
    await notes.void_credit_note_async(note.id)
    again = await shop.account.v1.invoices.retrieve_async(invoice)
    return note.type, less.amount_due, again.amount_due


async def _noted_whole(shop: Shop) -> Any:
    invoice = await _unpaid(shop)
    await shop.account.v1.credit_notes.create_async({"invoice": invoice, "amount": 1_000})
    found = await shop.account.v1.invoices.retrieve_async(invoice)
    return found.status, found.amount_paid, found.pre_payment_credit_notes_amount


async def _unpaid(shop: Shop) -> str:
    await shop.account.v1.invoice_items.create_async(
        {"customer": shop.customer, "amount": 1_000, "currency": "usd"}
    )
    draft = await shop.account.v1.invoices.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    await shop.account.v1.invoices.finalize_invoice_async(draft.id)
    return draft.id


async def _noted_after(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    (invoice,) = await shop.invoices()
    note = await shop.account.v1.credit_notes.create_async(
        {"invoice": invoice.id, "amount": 600, "refund_amount": 400, "credit_amount": 200}
    )
    customer = await shop.account.v1.customers.retrieve_async(shop.customer)
    (charge,) = (await shop.account.v1.charges.list_async()).data
    return note.type, charge.amount_refunded, customer.balance


async def _note_does_not_add_up(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    (invoice,) = await shop.invoices()
    error = await refusal(
        shop.account.v1.credit_notes.create_async(
            {"invoice": invoice.id, "amount": 600, "refund_amount": 500}
        )
    )
    return error.http_status, "must equal the credit note amount" in str(error)


async def _refunded(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    (charge,) = (await shop.account.v1.charges.list_async()).data
    seen = []
    for amount in (300, 700):
        await shop.account.v1.refunds.create_async({"charge": charge.id, "amount": amount})
        found = await shop.account.v1.charges.retrieve_async(charge.id)
        seen.append((found.amount_refunded, found.refunded))
    error = await refusal(shop.account.v1.refunds.create_async({"charge": charge.id}))
    return seen, code_of(error)


async def _refund_later(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    (charge,) = (await shop.account.v1.charges.list_async()).data
    made = await shop.account.v1.refunds.create_async({"charge": charge.id})
    return made.status, (await shop.account.v1.refunds.retrieve_async(made.id)).status


async def _sent(shop: Shop) -> Any:
    subscription = await shop.subscribe(
        await shop.price(1_000), collection_method="send_invoice", days_until_due=30
    )
    await shop.advance(START + 2 * HOUR)
    (invoice,) = await shop.invoices()
    assert invoice.due_date
    due = (invoice.due_date - START) // DAY
    return subscription.status, invoice.status, due, len(await shop.account.charges())


async def _given_up_and_paid(shop: Shop) -> Any:
    invoice = await _unpaid(shop)
    invoices = shop.account.v1.invoices
    await invoices.mark_uncollectible_async(invoice)
    before = (await statuses(shop))[0]
    await invoices.pay_async(invoice)
    return before, (await statuses(shop))[0]


async def _voided(shop: Shop) -> Any:
    invoice = await _unpaid(shop)
    await shop.account.v1.invoices.void_invoice_async(invoice)
    error = await refusal(shop.account.v1.invoices.pay_async(invoice))
    return (await statuses(shop))[0], error.http_status


async def _item_waits(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    await shop.account.v1.invoice_items.create_async(
        {"customer": shop.customer, "amount": 250, "currency": "usd"}
    )
    await shop.advance(MONTH + 2 * HOUR)
    return await totals(shop)


_PERCENT = {"percent_off": 20, "duration": "once"}
_AMOUNT = {"amount_off": 500, "currency": "usd", "duration": "once"}
ROWS = [
    Scenario("A coupon of once takes off one invoice", _COUPONS,
             _four_months(percent_off=50, duration="once"), [500, 1_000, 1_000, 1_000]),
    Scenario("A coupon of three months takes off three monthly invoices", _COUPONS,
             _four_months(percent_off=50, duration="repeating", duration_in_months=3),
             [500, 500, 500, 1_000]),
    Scenario("A coupon for ever takes off all invoices", _COUPONS,
             _four_months(percent_off=25, duration="forever"), [750] * 4),
    Scenario("200 USD off an invoice of 100 USD leave nothing",
             "https://docs.stripe.com/api/coupons/create", _amount_off(20_000, 10_000), 0,
             figures=True),
    Scenario("200 USD off an invoice of 300 USD leave 100 USD",
             "https://docs.stripe.com/api/coupons/create", _amount_off(20_000, 30_000), 10_000,
             figures=True),
    Scenario("Coupons apply in their order: 20 percent, then 5 USD", _COUPONS,
             _stacked(_PERCENT, _AMOUNT), 7_500),
    Scenario("Coupons apply in their order: 5 USD, then 20 percent", _COUPONS,
             _stacked(_AMOUNT, _PERCENT), 7_600),
    Scenario("A coupon can be redeemed as often as it says", _COUPONS,
             _used_up, (400, False, 1)),
    Scenario("A first-time code is refused to who has bought before", _COUPONS,
             _restricted("has prior transactions",
                         restrictions={"first_time_transaction": True}), (400, True)),
    Scenario("A code with a minimum amount is refused below it", _COUPONS,
             _restricted("minimum amount", restrictions={"minimum_amount": 1_001,
                                                         "minimum_amount_currency": "usd"}),
             (400, True)),
    Scenario("An inactive code is refused", _COUPONS,
             _restricted("inactive", active=False), (400, True)),
    Scenario("A code that has expired is refused", _COUPONS,
             _restricted("expired", expires_at=START), (400, True)),
    Scenario("A credit balance lessens the next invoice", _BALANCE,
             _with_balance(-600, 1_000), (1_000, 400, 0)),
    Scenario("What an invoice does not need stays in the balance", _BALANCE,
             _with_balance(-1_500, 1_000), (1_000, 0, -500)),
    Scenario("A debit balance is added to the next invoice", _BALANCE,
             _with_balance(300, 1_000), (1_000, 1_300, 0)),
    Scenario("A credit note lessens an open invoice until it is voided", _NOTES,
             _noted_before, ("pre_payment", 600, 1_000)),
    Scenario("An open invoice that is credited whole is paid", _NOTES,
             _noted_whole, ("paid", 0, 1_000)),
    Scenario("A credit note for a paid invoice refunds and credits", _NOTES,
             _noted_after, ("post_payment", 400, -200)),
    Scenario("A credit note's parts add up to it", "https://docs.stripe.com/api/credit_notes/create",
             _note_does_not_add_up, (400, True)),
    Scenario("A charge is refunded in parts, and no more than whole", _REFUNDS,
             _refunded, ([(300, False), (1_000, True)], "charge_already_refunded")),
    Scenario("The card for failing refunds lets one succeed and then fail",
             "https://docs.stripe.com/testing#refunds", _refund_later, ("succeeded", "failed"),
             card="pm_card_refundFail"),
    Scenario("The card for pending refunds lets one wait and then succeed",
             "https://docs.stripe.com/testing#refunds", _refund_later, ("pending", "succeeded"),
             card="pm_card_pendingRefund"),
    Scenario("A subscription whose invoices are sent charges nobody",
             "https://docs.stripe.com/billing/collection-method", _sent,
             ("active", "open", 30, 0)),
    Scenario("An uncollectible invoice can still be paid", _INVOICES,
             _given_up_and_paid, ("uncollectible", "paid")),
    Scenario("A voided invoice cannot be paid", _INVOICES, _voided, ("void", 400)),
    Scenario("A waiting item joins the next invoice",
             "https://docs.stripe.com/billing/invoices/subscription#adding-upcoming-invoice-items",
             _item_waits, [1_250, 1_000]),
]  # fmt: skip
