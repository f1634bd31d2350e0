"""Who retries a failed payment, and which attempts take the retry schedule further."""

from typing import Any

from tests.stripe_sandbox.scenarios.scenario import HOUR, MONTH, Scenario, refusal, status
from tests.stripe_sandbox.shop import DAY, Shop

_ADVANCEMENT = "https://docs.stripe.com/invoicing/integration/automatic-advancement-collection"


async def _fail(shop: Shop) -> tuple[str, str]:
    """A subscription whose renewal fails once; answers its id and the invoice's."""
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.refuse_card("insufficient_funds")
    await shop.advance(MONTH + 2 * HOUR)
    return subscription.id, (await shop.invoices())[0].id


async def _not_retried(shop: Shop) -> Any:
    subscription, invoice = await _fail(shop)
    v1 = shop.account.v1.invoices
    before = (await v1.retrieve_async(invoice)).next_payment_attempt
    off = await v1.update_async(invoice, {"auto_advance": False})
    tried = len(await shop.account.charges())
    await shop.advance(MONTH + 25 * DAY)
    left = len(await shop.account.charges()) - tried
    return bool(before), off.next_payment_attempt, left, await status(shop, subscription)


async def _retried_again(shop: Shop) -> Any:
    subscription, invoice = await _fail(shop)
    v1 = shop.account.v1.invoices
    await v1.update_async(invoice, {"auto_advance": False})
    await shop.advance(MONTH + 9 * DAY)
    await v1.update_async(invoice, {"auto_advance": True})
    await shop.account.set(declines={})
    await shop.advance(MONTH + 13 * DAY)
    return (await v1.retrieve_async(invoice)).status, await status(shop, subscription)


async def _settled(shop: Shop) -> Any:
    _, invoice = await _fail(shop)
    v1 = shop.account.v1.invoices
    voided = await v1.void_invoice_async(invoice)
    error = await refusal(v1.update_async(invoice, {"auto_advance": True}))
    return voided.auto_advance, error.http_status


async def _by_hand(shop: Shop) -> Any:
    _, invoice = await _fail(shop)
    v1 = shop.account.v1.invoices
    before = await v1.retrieve_async(invoice)
    await refusal(v1.pay_async(invoice))
    after = await v1.retrieve_async(invoice)
    same = before.next_payment_attempt == after.next_payment_attempt
    return before.attempt_count, after.attempt_count, same


ROWS = [
    Scenario("Without automatic collection no payment is retried, and nothing is given up",
             _ADVANCEMENT, _not_retried, (True, None, 0, "past_due")),
    Scenario("With automatic collection turned on again the retries go on", _ADVANCEMENT,
             _retried_again, ("paid", "active")),
    Scenario("Of a voided invoice nothing is collected automatically ever again", _ADVANCEMENT,
             _settled, (False, 400)),
    Scenario("A payment by hand after the first one takes the retry schedule no further",
             "https://docs.stripe.com/api/invoices/object", _by_hand, (1, 1, True)),
]  # fmt: skip
