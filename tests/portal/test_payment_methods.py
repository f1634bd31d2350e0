"""Payment methods: listed, added at the provider's page, put in order, and removed."""

import asyncio
import re
from urllib.parse import urlsplit

from guichet.billing.method_changes import moved
from guichet.billing.payment_methods import MethodBook, read_methods
from tests.payments.hosted import type_card
from tests.portal.shop import Customer, Shop, form_of, left_for

_PAGE = "/payment-methods"
MASTERCARD = "5555555555554444"


async def book_of(shop: Shop, customer: Customer) -> MethodBook:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        return await read_methods(unit, customer.customer_id)


async def csrf_of(customer: Customer) -> dict[str, str]:
    return form_of((await customer.get(_PAGE)).text, _PAGE)


async def add_card(customer: Customer, number: str = MASTERCARD) -> str:
    """Leave a card at the provider's page; answers the address that it leads back to."""
    checkout = left_for(await customer.post(_PAGE, await csrf_of(customer)))
    back = urlsplit(await type_card(checkout, number))
    assert back.path == f"{_PAGE}/added"
    return f"{back.path}?{back.query}"


async def has_audit(shop: Shop, customer: Customer, action: str) -> int:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select count(*)
            from audit_log
            where tenant_id = $1
            and actor = $2
            and action = $3
            """,
            shop.tenant_id,
            customer.customer_id,
            action,
        )
    return count


async def default_of(shop: Shop, customer: Customer) -> object:
    found = await shop.stripe.v1.customers.retrieve_async(customer.customer_id)
    assert found.invoice_settings
    return found.invoice_settings.default_payment_method


async def test_a_card_that_is_added_becomes_the_default_everywhere(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        old = (await book_of(shop, ada)).first
        subscription = await shop.subscription("ada")
        await shop.stripe.v1.subscriptions.update_async(
            subscription.id, {"default_payment_method": old or ""}
        )
        await _mirror_subscription(shop, subscription.id)
        back = await add_card(ada)
        assert (await book_of(shop, ada)).first == old, "coming back is what makes it the default"
        answer = await ada.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, _PAGE)
        book = await book_of(shop, ada)
        assert book.order == (book.first, old)
        assert await default_of(shop, ada) == book.first
        assert (await shop.subscription("ada")).default_payment_method is None
        page = (await ada.get(_PAGE)).text
        assert page.index("Mastercard") < page.index("Visa")
        assert await has_audit(shop, ada, "payment_method.added") == 1
        # The address is in the browser's history: opened once more, it changes nothing.
        csrf = await csrf_of(ada)
        await ada.follow(f"{_PAGE}/{old}/order", csrf | {"to": "default"})
        await ada.get(back)
        assert (await book_of(shop, ada)).first == old


async def _mirror_subscription(shop: Shop, subscription_id: str) -> None:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update subscriptions as held
            set default_payment_method_id = customer.default_payment_method_id
            from customers as customer
            where held.tenant_id = $1
            and held.id = $2
            and customer.tenant_id = held.tenant_id
            and customer.id = held.customer_id
            """,
            shop.tenant_id,
            subscription_id,
        )


async def test_somebody_elses_page_is_no_page(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada, shop.signed_in("linus") as linus:
        back = await add_card(ada)
        before = await book_of(shop, linus)
        for path in (back, f"{_PAGE}/added?session=cs_test_none", f"{_PAGE}/added?session=x"):
            assert (await linus.get(path)).status_code == 404, path
        assert await book_of(shop, linus) == before


async def test_a_page_that_was_left_without_a_card_changes_nothing(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        before = await book_of(shop, ada)
        checkout = left_for(await ada.post(_PAGE, await csrf_of(ada)))
        session = re.findall(r"cs_test_\w+", checkout)[0]
        answer = await ada.get(f"{_PAGE}/added?session={session}")
        assert answer.headers["location"] == _PAGE
        assert await book_of(shop, ada) == before


async def test_methods_are_put_in_order_without_scripts(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        await ada.get(await add_card(ada))
        await ada.get(await add_card(ada, "4000056655665556"))
        first, second, third = (await book_of(shop, ada)).order
        csrf = await csrf_of(ada)
        for method, to, order in (
            (third, "up", (first, third, second)),
            (first, "down", (third, first, second)),
            (second, "default", (second, third, first)),
            (third, "unused", (second, first)),
            (third, "backup", (second, first, third)),
        ):
            await ada.follow(f"{_PAGE}/{method}/order", csrf | {"to": to})
            assert (await book_of(shop, ada)).order == order, to
        assert await default_of(shop, ada) == second
        assert await has_audit(shop, ada, "payment_method.ordered") == 5
        wrong = await ada.post(f"{_PAGE}/{third}/order", csrf | {"to": "sideways"})
        assert wrong.status_code == 422


async def test_the_last_method_of_a_live_subscription_stays(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        only = (await book_of(shop, ada)).first
        csrf = await csrf_of(ada)
        asked = await ada.get(f"{_PAGE}/{only}/remove")
        assert asked.status_code == 409
        assert "there is nothing else" in asked.text
        for path, form in ((f"{only}/remove", csrf), (f"{only}/order", csrf | {"to": "unused"})):
            refused = await ada.post(f"{_PAGE}/{path}", form)
            assert refused.status_code == 409
            assert "there is nothing else" in refused.text
        assert (await book_of(shop, ada)).order == (only,)


async def test_two_tabs_cannot_take_away_the_last_method_together(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        await ada.get(await add_card(ada))
        csrf = await csrf_of(ada)
        order = (await book_of(shop, ada)).order
        answers = await asyncio.gather(
            *(ada.post(f"{_PAGE}/{method}/remove", csrf) for method in order)
        )
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        assert len((await book_of(shop, ada)).order) == 1


async def test_a_removed_default_is_followed_by_the_next(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        await ada.get(await add_card(ada))
        new, old = (await book_of(shop, ada)).order
        csrf = await csrf_of(ada)
        page = await ada.get(f"{_PAGE}/{new}/remove")
        assert "It is your default" in page.text
        await ada.follow(f"{_PAGE}/{new}/remove", csrf)
        book = await book_of(shop, ada)
        assert (book.order, book.others) == ((old,), ())
        assert await default_of(shop, ada) == old
        assert await has_audit(shop, ada, "payment_method.removed") == 1
        gone = await ada.post(f"{_PAGE}/{new}/remove", csrf)
        assert gone.status_code == 404


async def test_a_method_that_nobody_charges_takes_the_place_of_the_last_one(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        await ada.get(await add_card(ada))
        new, old = (await book_of(shop, ada)).order
        csrf = await csrf_of(ada)
        await ada.follow(f"{_PAGE}/{old}/order", csrf | {"to": "unused"})
        await ada.follow(f"{_PAGE}/{new}/remove", csrf)
        assert (await book_of(shop, ada)).order == (old,)


async def test_what_the_provider_does_not_do_is_told(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        await ada.get(await add_card(ada))
        before = await book_of(shop, ada)
        csrf = await csrf_of(ada)
        await _fail(shop, {"mode": "error", "status": 500, "count": 6, "path": "/v1/customers"})
        page = await ada.post(f"{_PAGE}/{before.order[1]}/order", csrf | {"to": "default"})
        assert page.status_code == 503
        assert "does not answer right now" in page.text
        assert "Mastercard" in page.text
        await _fail(shop)
        await ada.follow(f"{_PAGE}/{before.order[1]}/order", csrf | {"to": "default"})
        assert (await book_of(shop, ada)).first == before.order[1]


async def _fail(shop: Shop, *faults: dict[str, object]) -> None:
    answer = await shop.control({"fail_next_requests": list(faults)})
    assert answer.status_code == 200


async def test_another_customers_method_does_not_exist(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada, shop.signed_in("linus") as linus:
        theirs = (await book_of(shop, linus)).first
        csrf = await csrf_of(ada)
        assert (await ada.get(f"{_PAGE}/{theirs}/remove")).status_code == 404
        assert (await ada.post(f"{_PAGE}/{theirs}/remove", csrf)).status_code == 404
        moved_there = await ada.post(f"{_PAGE}/{theirs}/order", csrf | {"to": "default"})
        assert moved_there.status_code == 404
        assert (await book_of(shop, linus)).first == theirs


def test_a_place_is_kept_within_the_order() -> None:
    order = ("a", "b", "c")
    assert moved(order, "a", "up") == order
    assert moved(order, "c", "down") == order
    assert moved(order, "c", "default") == ("c", "a", "b")
    assert moved(order, "d", "backup") == (*order, "d")
    assert moved((), "d", "unused") == ()
