"""Nobody finds out here which stolen cards are good: tries are counted, however they come."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from tests.portal.debts import (
    charges_of,
    good_card,
    hold_card,
    let_time_pass,
    owe_more,
    payments_of,
)
from tests.portal.shop import Customer, Shop, form_of
from tests.portal.test_fix import mailed
from tests.portal.test_paying import PAID, Desk, desk_for

_WAIT = "Too many payments were tried"
_LIMIT = 10


async def test_tries_at_one_invoice_are_counted(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, poor = await desk_for(shop, grace), await hold_card(
            shop, "grace", "pm_card_chargeCustomerFail"
        )  # fmt: skip
        for _ in range(_LIMIT):
            assert "declined" in await desk.pay(poor)
        before, form = await charges_of(shop), await desk.form(await good_card(shop))
        refused = await grace.post(desk.page, form)
        assert refused.status_code == 429
        assert _WAIT in refused.text
        assert await charges_of(shop) == before
        # The link of a mail is no way around it.
        async with mailed(shop) as (holder, link, _):
            page = (await holder.get(link)).text
            again = form_of(page, link) | {"method": form["method"]}
            assert (await holder.post(link, again)).status_code == 429
        assert await charges_of(shop) == before
        await let_time_pass(shop, timedelta(minutes=61))
        assert PAID in (await grace.follow(desk.page, form)).text


async def test_tries_at_all_invoices_of_a_customer_are_counted(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        poor = await hold_card(shop, "grace", "pm_card_chargeCustomerFail")
        desks = [await desk_for(shop, grace)]
        desks += [Desk(shop, grace, await owe_more(shop)) for _ in range(2)]
        before = len(await charges_of(shop))
        forms = [await desk.form(poor) for desk in desks]
        # At once, and in turn: whoever comes first, there are ten.
        for _ in range(_LIMIT // 2):
            await asyncio.gather(
                *(
                    grace.post(desk.page, form | {"token": str(uuid4())})
                    for desk, form in zip(desks, forms, strict=True)
                )
            )
        assert len(await charges_of(shop)) - before == _LIMIT
        good = await good_card(shop)
        for desk, form in zip(desks, forms, strict=True):
            refused = await grace.post(desk.page, form | {"method": good, "token": str(uuid4())})
            assert refused.status_code == 429
        # What others pay is another matter, and so is what is paid.
        async with shop.signed_in("ada") as ada:
            theirs = Desk(shop, ada, await owe_more(shop, "ada"))
            held = await hold_card(shop, "ada", "pm_card_visa")
            assert PAID in await theirs.pay(held)
        await let_time_pass(shop, timedelta(minutes=61))
        for desk in desks:
            assert PAID in await desk.pay(good)


async def test_forty_clicks_at_once_charge_once(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        form = await desk.form(await good_card(shop))
        before = (await charges_of(shop)).count("succeeded")
        forms = [form] * 20 + [form | {"token": str(uuid4())} for _ in range(20)]
        answers = await asyncio.gather(*(grace.post(desk.page, each) for each in forms))
        assert {answer.status_code for answer in answers} <= {200, 303, 409}
        assert (await charges_of(shop)).count("succeeded") == before + 1
        states = [state for state, _ in await payments_of(shop, grace)]
        assert states.count("succeeded") == 1


async def test_a_crowd_of_tries_gets_no_more_of_them(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        form = await desk.form(await hold_card(shop, "grace", "pm_card_chargeCustomerFail"))
        before = len(await charges_of(shop))
        for _ in range(_LIMIT + 4):
            forms = [form | {"token": str(uuid4())} for _ in range(2)]
            await asyncio.gather(*(grace.post(desk.page, each) for each in forms))
        assert len(await charges_of(shop)) - before <= _LIMIT
        assert len(await payments_of(shop, grace)) <= _LIMIT


async def open_pages(grace: Customer, action: str, form: dict[str, str], count: int) -> list[int]:
    answers = await asyncio.gather(*(grace.post(action, form) for _ in range(count)))
    return sorted(answer.status_code for answer in answers)


async def test_pages_that_take_a_card_are_counted(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        card = f"{desk.page}/card"
        form = await desk.form("")
        own = form_of((await grace.get("/payment-methods")).text, "/payment-methods")
        assert await open_pages(grace, card, form, 6) == [200] * 6
        # Wherever they are opened from.
        assert await open_pages(grace, "/payment-methods", own, 6) == [200] * 4 + [429] * 2
        refused = await grace.post(card, form)
        assert refused.status_code == 429
        assert "was opened too often" in refused.text
        async with shop.signed_in("ada") as ada:
            own = form_of((await ada.get("/payment-methods")).text, "/payment-methods")
            assert await open_pages(ada, "/payment-methods", own, 1) == [200]
