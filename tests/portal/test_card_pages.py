"""What leads back from the provider's page for a card: for its customer, for its purpose, once."""

from datetime import timedelta

from tests.portal.debts import charges_of, owe_more
from tests.portal.shop import Customer, Shop, form_of
from tests.portal.test_fix import link_to, write_mail
from tests.portal.test_paying import PAID, Desk, desk_for, new_card, path_of
from tests.portal.test_payment_methods import add_card, book_of, csrf_of

_METHODS = "/payment-methods"


def query_of(back: str) -> str:
    return back.partition("?")[2]


async def test_a_card_for_one_invoice_pays_no_other(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace, shop.visitor() as holder:
        desk, other = await desk_for(shop, grace), Desk(shop, grace, await owe_more(shop))
        link = await link_to(shop, await write_mail(shop, other.invoice_id))
        back = path_of(await new_card(desk, "4242424242424242"))
        before, charged = await book_of(shop, grace), await charges_of(shop)
        for browser, path in (
            (grace, f"{other.page}/card"),
            (holder, f"{link}/card"),
            (grace, f"{_METHODS}/added"),
        ):
            assert (await browser.get(f"{path}?{query_of(back)}")).status_code == 404, path
        assert await charges_of(shop) == charged
        assert await book_of(shop, grace) == before
        # Neither does one that was only added.
        added = await add_card(grace)
        assert (await grace.get(f"{desk.page}/card?{query_of(added)}")).status_code == 404
        assert await charges_of(shop) == charged
        assert PAID in (await grace.get((await grace.get(back)).headers["location"])).text
        assert [await desk.status(), await other.status()] == ["paid", "open"]


async def test_a_page_that_is_not_ours_pays_nothing(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        # The merchant's own program may open pages for her too.
        page = await shop.stripe.v1.checkout.sessions.create_async(
            {
                "mode": "setup",
                "customer": grace.customer_id,
                "currency": "usd",
                "success_url": f"{shop.origin}{desk.page}/card?session={{CHECKOUT_SESSION_ID}}",
            }
        )
        for session in (page.id, "cs_test_none", "x"):
            answer = await grace.get(f"{desk.page}/card?session={session}")
            assert answer.status_code == 404, session


async def test_a_look_at_the_head_alone_changes_nothing(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        paying, adding = path_of(await new_card(desk, "4242424242424242")), await add_card(grace)
        before, charged = await book_of(shop, grace), await charges_of(shop)
        for path, leads_to in ((paying, desk.page), (adding, _METHODS)):
            answer = await grace.client.head(path)
            assert (answer.status_code, answer.headers["location"]) == (303, leads_to)
        assert await charges_of(shop) == charged
        assert await book_of(shop, grace) == before
        assert PAID in (await grace.get((await grace.get(paying)).headers["location"])).text
        assert (await grace.get(adding)).status_code == 303
        assert await book_of(shop, grace) != before


async def test_a_card_that_was_taken_out_stays_out_when_its_page_is_opened_again(
    shop: Shop,
) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        adding, paying = await add_card(grace), path_of(await new_card(desk, "4242424242424242"))
        for back in (adding, paying):
            await grace.get(back)
        added = (await book_of(shop, grace)).order[:2]
        csrf = await csrf_of(grace)
        for method in added:
            await grace.follow(f"{_METHODS}/{method}/order", csrf | {"to": "unused"})
        left, charged = await book_of(shop, grace), await charges_of(shop)
        assert not set(added) & set(left.order)
        for back in (adding, paying, adding, paying):
            assert (await grace.get(back)).status_code == 303
        assert await book_of(shop, grace) == left
        assert await charges_of(shop) == charged


async def test_an_address_of_yesterday_charges_nothing(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        back = path_of(await new_card(desk, "4242424242424242"))
        await _age(shop, timedelta(hours=25))
        charged = await charges_of(shop)
        # A browser that is opened again shows its tabs of yesterday.
        assert (await grace.get(back)).headers["location"] == desk.page
        assert await charges_of(shop) == charged
        assert await desk.status() == "open"


async def _age(shop: Shop, by: timedelta) -> None:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update card_pages
            set opened_at = opened_at - $2::interval
            where tenant_id = $1
            """,
            shop.tenant_id,
            by,
        )


async def test_the_pages_of_others_are_no_pages(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace, shop.signed_in("ada") as ada:
        desk = await desk_for(shop, grace)
        back = path_of(await new_card(desk, "4242424242424242"))
        owed = Desk(shop, ada, await owe_more(shop, "ada"))
        for path in (back, f"{owed.page}/card?{query_of(back)}", f"{_METHODS}/added?x=1"):
            assert (await _status(ada, path)) in (400, 404), path
        assert await owed.status() == "open"
        assert form_of((await grace.get(desk.page)).text, desk.page)


async def _status(customer: Customer, path: str) -> int:
    return (await customer.get(path)).status_code
