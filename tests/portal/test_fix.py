"""The link of a mail: one invoice, without sign-in, and nothing else of the customer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from guichet.auth.mail_links import make_link_token
from guichet.demo.merchants import MARMITE
from guichet.messages.queueing import queue_message
from tests.payments.hosted import confirm_at_the_bank, type_card
from tests.portal.debts import charges_of, debt_of, good_card, hold_card, offered
from tests.portal.shop import Customer, Shop, add_shop, form_of, left_for
from tests.portal.test_paying import PAID, path_of


async def write_mail(shop: Shop, invoice_id: str, who: str = "grace") -> UUID:
    """Queue the mail about a failed payment; answers its id."""
    facts: dict[str, object] = {"invoice_id": invoice_id}
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        message_id = await queue_message(
            unit,
            "payment_failed",
            await shop.customer_id(who),
            f"payment_failed:{invoice_id}:1",
            facts,
            datetime.now(UTC),
        )
    assert message_id is not None
    return UUID(message_id)


async def link_to(shop: Shop, message_id: UUID) -> str:
    keys = shop.deployment.settings.master_keys
    return f"/fix/{make_link_token(keys, shop.tenant_id, message_id, 'fix')}"


@asynccontextmanager
async def mailed(shop: Shop) -> AsyncIterator[tuple[Customer, str, str]]:
    """Somebody without a session who holds the link about Grace's debt; and the invoice's id."""
    invoice_id = (await debt_of(shop)).id
    link = await link_to(shop, await write_mail(shop, invoice_id))
    async with shop.visitor() as holder:
        yield holder, link, invoice_id


async def test_a_link_opens_exactly_the_page_that_mends_it(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id):
        page = await holder.get(link)
        assert page.status_code == 200
        assert "Pay $29.00" in page.text
        assert await good_card(shop) in offered(page.text)
        # Nothing else of hers is told, and nothing else is open.
        for word in ("grace@example.com", "Grace Hopper", "/sign-out", 'href="/invoices'):
            assert word not in page.text, word
        for path in ("/", "/invoices", f"/invoices/{invoice_id}/pay", "/payment-methods"):
            assert (await holder.get(path)).headers["location"].startswith("/sign-in")
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        assert "set-cookie" not in page.headers


async def test_looking_at_a_link_changes_nothing(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, _):
        before = await charges_of(shop)
        for _ in range(3):
            assert (await holder.get(link)).status_code == 200
            assert (await holder.client.head(link)).status_code == 200
        assert await charges_of(shop) == before


async def test_the_invoice_is_paid_by_its_link(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id):
        form = form_of((await holder.get(link)).text, link) | {"method": await good_card(shop)}
        result = await holder.follow(link, form)
        assert PAID in result.text
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "paid"
        # The mail may be opened again, and says that all is well.
        assert PAID in (await holder.get(link)).text
        assert (await holder.post(link, form)).status_code == 303


async def test_the_bank_and_a_new_card_lead_back_to_the_link(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id):
        careful = await hold_card(shop, "grace", "pm_card_authenticationRequired")
        form = form_of((await holder.get(link)).text, link)
        bank = left_for(await holder.post(link, form | {"method": careful}))
        back = path_of(await confirm_at_the_bank(bank, passes=False))
        assert back.startswith(f"{link}/paid?")
        form = form_of((await holder.get(back)).text, link)
        checkout = left_for(await holder.post(f"{link}/card", form))
        back = path_of(await type_card(checkout))
        assert back.startswith(f"{link}/card?")
        result = await holder.get((await holder.get(back)).headers["location"])
        assert PAID in result.text
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "paid"


async def test_a_forged_link_and_one_of_another_tenant_are_no_pages(shop: Shop) -> None:
    other = await add_shop(shop.edge, shop.deployment, MARMITE)
    async with mailed(shop) as (holder, link, _), other.visitor() as stranger:
        message_id = await write_mail(other, (await debt_of(other)).id)
        theirs = await link_to(other, message_id)
        assert (await stranger.get(theirs)).status_code == 200
        assert (await stranger.get(link)).status_code == 404
        assert (await holder.get(theirs)).status_code == 404
        for forged in (f"{link[:-1]}A", f"{link}A", "/fix/x", f"/fix/{'A' * 64}"):
            assert (await holder.get(forged)).status_code == 404, forged
        for purpose in (f"/unsubscribe/{link.removeprefix('/fix/')}",):
            assert (await holder.get(purpose)).status_code == 404


async def test_a_form_of_another_link_or_site_is_refused(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, _), shop.signed_in("grace") as grace:
        form = form_of((await holder.get(link)).text, link) | {"method": await good_card(shop)}
        own = form_of((await grace.get("/payment-methods")).text, "/payment-methods")
        assert (await holder.post(link, form | own)).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert (await holder.client.post(link, data=form, headers=evil)).status_code == 403
        assert "succeeded" not in (await charges_of(shop))[:1]


async def test_a_link_ends_after_a_month(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, invoice_id):
        await _age(shop, 29)
        assert (await holder.get(link)).status_code == 200
        await _age(shop, 2)
        page = await holder.get(link)
        assert page.status_code == 410
        assert "This link has expired" in page.text
        assert "/sign-in" in page.text
        form = {"method": await good_card(shop)}
        assert (await holder.post(link, form)).status_code == 403
        assert (await shop.stripe.v1.invoices.retrieve_async(invoice_id)).status == "open"


async def test_a_link_has_expired_still_when_its_mail_is_erased(shop: Shop) -> None:
    async with mailed(shop) as (holder, link, _):
        async with shop.deployment.db.unit(shop.tenant_id) as unit:
            await unit.execute(
                """
                update messages
                set recipient = null, facts = '{}', erased_at = now(), state = 'sent', due_at = null
                where tenant_id = $1
                """,
                shop.tenant_id,
            )
        assert (await holder.get(link)).status_code == 410


async def _age(shop: Shop, days: int) -> None:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update messages
            set queued_at = queued_at - $2 * interval '1 day'
            where tenant_id = $1
            """,
            shop.tenant_id,
            days,
        )
