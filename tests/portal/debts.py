"""What a customer owes, and with what they could pay it."""

import re
from datetime import timedelta

from stripe import Invoice

from guichet.billing.mirror import draw_copy_no, write_copy
from tests.portal.shop import Customer, Shop

#: The method that the form of a pay page has chosen, and all of its methods.
_CHOSEN = re.compile(r'name="method" value="([^"]+)" required checked')
_METHOD = re.compile(r'name="method" value="([^"]+)"')


async def debt_of(shop: Shop, who: str = "grace") -> Invoice:
    """The open invoice of one of the demo's people."""
    found = await shop.stripe.v1.invoices.list_async(
        {"customer": await shop.customer_id(who), "status": "open"}
    )
    return found.data[0]


async def hold_card(shop: Shop, who: str, card: str) -> str:
    """Give somebody one more of Stripe's test cards, and let the mirror know it."""
    method = await shop.stripe.v1.payment_methods.attach_async(
        card, {"customer": await shop.customer_id(who)}
    )
    await mirror_method(shop, method.id)
    return method.id


async def mirror_method(shop: Shop, method_id: str) -> None:
    """Write a payment method into the mirror, as its event would."""
    provider = await shop.deployment.providers.client(shop.tenant_id)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        copy = await provider.fetch_payment_method(method_id)
        assert copy is not None
        await write_copy(unit, copy, await draw_copy_no(unit))


async def good_card(shop: Shop) -> str:
    """Grace's card that is charged when it is asked to be."""
    listed = await shop.stripe.v1.payment_methods.list_async(
        {"customer": await shop.customer_id("grace")}
    )
    return next(it.id for it in listed.data if it.card and it.card.brand == "mastercard")


async def charges_of(shop: Shop, who: str = "grace") -> list[str]:
    """The statuses of somebody's charges, newest first."""
    listed = await shop.stripe.v1.charges.list_async(
        {"customer": await shop.customer_id(who), "limit": 100}
    )
    return [charge.status for charge in listed.data]


def chosen(page: str) -> str | None:
    """The method that a pay page has chosen."""
    found = _CHOSEN.search(page)
    return found[1] if found else None


def offered(page: str) -> list[str]:
    """The methods that a pay page offers."""
    return _METHOD.findall(page)


async def payments_of(shop: Shop, customer: Customer) -> list[tuple[str, str]]:
    """The customer's own payments as they are written down: state and key, in order."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select made.state, made.idempotency_key
            from dunning_attempts as made
            join invoices as invoice
              on invoice.tenant_id = made.tenant_id
              and invoice.id = made.invoice_id
            where made.tenant_id = $1
            and invoice.customer_id = $2
            and made.initiator = 'customer'
            order by made.number
            """,
            shop.tenant_id,
            customer.customer_id,
        )
    return [(row["state"], row["idempotency_key"]) for row in rows]


async def let_time_pass(shop: Shop, by: timedelta = timedelta(minutes=1)) -> None:
    """Let all payments be so much older."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update dunning_attempts
            set sent_at = sent_at - $2::interval
            where tenant_id = $1
            """,
            shop.tenant_id,
            by,
        )


async def owe_more(shop: Shop, who: str = "grace", cents: int = 700) -> str:
    """One more open invoice of somebody, known to the mirror; answers its id."""
    client = shop.stripe.v1
    draft = await client.invoices.create_async(
        {"customer": await shop.customer_id(who), "currency": "usd", "auto_advance": False}
    )
    await client.invoice_items.create_async(
        {
            "customer": await shop.customer_id(who),
            "invoice": draft.id,
            "amount": cents,
            "currency": "usd",
        }
    )
    invoice = await client.invoices.finalize_invoice_async(draft.id)
    provider = await shop.deployment.providers.client(shop.tenant_id)
    copy = await provider.fetch_invoice(invoice.id)
    assert copy is not None
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await write_copy(unit, copy, await draw_copy_no(unit))
    return invoice.id
