"""Paying an invoice: once, with any method, through the bank or not, and honestly told."""

import asyncio
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.payments.hosted import ASKS_THE_BANK, confirm_at_the_bank, type_card
from tests.portal.debts import (
    charges_of,
    chosen,
    debt_of,
    good_card,
    hold_card,
    let_time_pass,
    offered,
    owe_more,
    payments_of,
)
from tests.portal.shop import Customer, Shop, form_of, left_for

PAID = "Thank you, this is paid"
NOT_SURE = "We are not sure yet"
WAITING = "Your bank has not confirmed yet"


class Desk:
    """Grace at the page of the invoice that she owes."""

    def __init__(self, shop: Shop, grace: Customer, invoice_id: str) -> None:
        self.shop = shop
        self.grace = grace
        self.invoice_id = invoice_id
        self.page = f"/invoices/{invoice_id}/pay"

    async def form(self, method_id: str) -> dict[str, str]:
        """A form of the page, filled in."""
        return form_of((await self.grace.get(self.page)).text, self.page) | {"method": method_id}

    async def pay(self, method_id: str) -> str:
        """Pay, and answer the text of the page that says what became of it."""
        return (await self.grace.follow(self.page, await self.form(method_id))).text

    async def to_the_bank(self, method_id: str) -> str:
        """Pay with what the bank wants to be asked about; answers the bank's page."""
        return left_for(await self.grace.post(self.page, await self.form(method_id)))

    async def status(self) -> str | None:
        """The invoice's status at the provider."""
        return (await self.shop.stripe.v1.invoices.retrieve_async(self.invoice_id)).status


async def desk_for(shop: Shop, grace: Customer) -> Desk:
    return Desk(shop, grace, (await debt_of(shop)).id)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def test_home_tells_what_failed_and_leads_to_what_mends_it(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        page = (await grace.get("/")).text
        assert "Your payment of $29.00 for Team did not go through." in page
        assert "0341" in page
        assert "Pay now" in page
        assert f'href="{desk.page}"' in page
        checkout = left_for(
            await grace.post(f"{desk.page}/card", form_of(page, f"{desk.page}/card"))
        )
        assert checkout.startswith(shop.deployment.settings.stripe_url)
        subscription = await shop.subscription("grace")
        assert "did not go through" in (await grace.get(f"/subscriptions/{subscription.id}")).text
        assert desk.page in (await grace.get("/invoices")).text


async def test_an_invoice_is_paid_with_another_card_of_hers(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        page = (await grace.get(desk.page)).text
        assert card in offered(page)
        assert "Declined" in page
        before = (await charges_of(shop)).count("succeeded")
        form = await desk.form(card)
        first = await grace.post(desk.page, form)
        result = await grace.get(first.headers["location"])
        assert PAID in result.text
        assert await desk.status() == "paid"
        # Reloaded, sent again by the back button, and looked at again: nothing is charged.
        assert PAID in (await grace.get(first.headers["location"])).text
        assert (await grace.post(desk.page, form)).headers["location"] == first.headers["location"]
        assert PAID in (await grace.get(desk.page)).text
        other = await grace.post(desk.page, form | {"token": str(uuid4())})
        assert other.headers["location"] == desk.page
        assert (await charges_of(shop)).count("succeeded") == before + 1
        assert [state for state, _ in await payments_of(shop, grace)] == ["succeeded"]
        assert "did not go through" not in (await grace.get("/")).text


async def test_a_declined_payment_says_why_and_what_to_do(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        poor = await hold_card(shop, "grace", "pm_card_chargeCustomerFail")
        text = await desk.pay(poor)
        assert "declined" in text
        assert f'action="{desk.page}"' in text
        assert await desk.status() == "open"
        assert [state for state, _ in await payments_of(shop, grace)] == ["declined"]
        assert PAID in await desk.pay(await good_card(shop))


async def test_four_clicks_at_once_charge_once_and_lead_to_one_place(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        form = await desk.form(await good_card(shop))
        before = (await charges_of(shop)).count("succeeded")
        answers = await asyncio.gather(*(grace.post(desk.page, form) for _ in range(4)))
        places = {answer.headers.get("location", answer.text) for answer in answers}
        assert len(places) == 1, places
        assert PAID in (await grace.get(places.pop())).text
        assert (await charges_of(shop)).count("succeeded") == before + 1


async def test_two_tabs_at_once_charge_once(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        forms = [await desk.form(card) for _ in range(3)]
        before = (await charges_of(shop)).count("succeeded")
        answers = await asyncio.gather(*(grace.post(desk.page, form) for form in forms))
        assert {answer.status_code for answer in answers} <= {303, 409}
        assert (await charges_of(shop)).count("succeeded") == before + 1


async def test_a_bank_that_is_asked_and_agrees_has_it_paid(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        careful = await hold_card(shop, "grace", "pm_card_authenticationRequired")
        back = path_of(await confirm_at_the_bank(await desk.to_the_bank(careful)))
        assert back.startswith(f"/invoices/{desk.invoice_id}/paid?")
        assert PAID in (await grace.get(back)).text
        assert await desk.status() == "paid"
        assert [state for state, _ in await payments_of(shop, grace)] == ["succeeded"]


async def test_what_leads_back_from_the_bank_is_not_believed(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        careful = await hold_card(shop, "grace", "pm_card_authenticationRequired")
        form = await desk.form(careful)
        bank = left_for(await grace.post(desk.page, form))
        made_up = f"/invoices/{desk.invoice_id}/paid?payment={form['token']}"
        page = await grace.get(f"{made_up}&redirect_status=succeeded")
        assert WAITING in page.text
        assert bank in page.text
        assert await desk.status() == "open"
        await confirm_at_the_bank(bank)
        # Whoever comes back without what the bank adds to the address is told the same.
        assert PAID in (await grace.get(made_up)).text


async def test_a_bank_that_refuses_leaves_the_page_to_try_again(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        careful = await hold_card(shop, "grace", "pm_card_authenticationRequired")
        bank = await desk.to_the_bank(careful)
        back = path_of(await confirm_at_the_bank(bank, passes=False))
        page = (await grace.get(back)).text
        assert 'role="alert"' in page
        assert f'action="{desk.page}"' in page
        assert await desk.status() == "open"
        assert PAID in await desk.pay(await good_card(shop))


async def test_who_leaves_the_bank_may_pay_with_another_card(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        careful = await hold_card(shop, "grace", "pm_card_authenticationRequired")
        await desk.to_the_bank(careful)
        assert PAID in await desk.pay(await good_card(shop))
        states = [state for state, _ in await payments_of(shop, grace)]
        assert states == ["not_made", "succeeded"]


async def new_card(desk: Desk, number: str) -> str:
    """Enter a card at the provider; answers where it leads back to."""
    card_page = f"{desk.page}/card"
    form = form_of((await desk.grace.get(desk.page)).text, desk.page)
    checkout = left_for(await desk.grace.post(card_page, form))
    return await type_card(checkout, number)


async def test_a_new_card_becomes_the_default_and_is_charged_at_once(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        before = (await charges_of(shop)).count("succeeded")
        back = path_of(await new_card(desk, "4242424242424242"))
        first = await grace.get(back)
        assert PAID in (await grace.get(first.headers["location"])).text
        assert await desk.status() == "paid"
        again = await grace.get(back)
        assert again.headers["location"] == first.headers["location"]
        assert (await charges_of(shop)).count("succeeded") == before + 1
        assert "4242" in (await grace.get("/payment-methods")).text.split("Default")[0]


async def test_a_new_card_whose_bank_wants_to_be_asked_is_asked(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        bank = await new_card(desk, ASKS_THE_BANK)
        back = path_of(await confirm_at_the_bank(bank))
        answer = await grace.get(back)
        if "refresh" in answer.headers:
            answer = await grace.get(path_of(await confirm_at_the_bank(left_for(answer))))
        else:
            answer = await grace.get(answer.headers["location"])
        assert PAID in answer.text
        assert await desk.status() == "paid"


async def test_an_answer_that_is_lost_is_told_as_such_and_found_later(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        form = await desk.form(await good_card(shop))
        fault = {"mode": "lost", "count": 2, "method": "POST", "path": "/v1/payment_intents/"}
        await shop.control({"fail_next_requests": [fault]})
        before = (await charges_of(shop)).count("succeeded")
        answer = await grace.post(desk.page, form)
        page = await grace.get(answer.headers["location"])
        assert NOT_SURE in page.text
        assert page.headers["refresh"] == "5"
        # Nobody can pay a second time meanwhile.
        other = await grace.post(desk.page, form | {"token": str(uuid4())})
        assert other.status_code == 409
        await let_time_pass(shop)
        assert PAID in (await grace.get(answer.headers["location"])).text
        assert (await charges_of(shop)).count("succeeded") == before + 1


async def test_what_never_arrived_can_be_paid_again_after_a_while(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        fault = {"mode": "error", "status": 500, "count": 4, "path": "/v1/payment_intents/"}
        await shop.control({"fail_next_requests": [fault]})
        await grace.post(desk.page, await desk.form(card))
        await shop.control({"fail_next_requests": []})
        await let_time_pass(shop)
        assert PAID in await desk.pay(card)
        assert await desk.status() == "paid"


async def test_an_invoice_that_was_paid_elsewhere_is_not_charged(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        form = await desk.form(card)
        await shop.stripe.v1.invoices.pay_async(desk.invoice_id, {"payment_method": card})
        before = (await charges_of(shop)).count("succeeded")
        text = (await grace.follow(desk.page, form)).text
        assert PAID in text
        assert (await charges_of(shop)).count("succeeded") == before


async def test_an_invoice_that_never_failed_can_be_paid(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        desk = Desk(shop, ada, await owe_more(shop, "ada"))
        page = (await ada.get(desk.page)).text
        assert "Pay $7.00" in page
        assert "What happened" not in page
        assert PAID in await desk.pay(chosen(page) or "")
        assert await desk.status() == "paid"


async def test_others_can_neither_see_nor_pay_it(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace, shop.signed_in("ada") as ada:
        desk = await desk_for(shop, grace)
        form = await desk.form(await good_card(shop))
        assert "0341" in (await grace.get(desk.page)).text
        own = form_of((await ada.get("/payment-methods")).text, "/payment-methods")
        for path in (desk.page, f"/invoices/{desk.invoice_id}/paid?payment={form['token']}"):
            assert (await ada.get(path)).status_code == 404
        for path in (desk.page, f"{desk.page}/card"):
            assert (await ada.post(path, form | own)).status_code == 404
        # Nor pay what is theirs with somebody else's card.
        theirs = form_of((await ada.get("/payment-methods")).text, "/payment-methods")
        adas = (await shop.stripe.v1.payment_methods.list_async({"customer": ada.customer_id})).data
        assert (await grace.post(desk.page, form | {"method": adas[0].id})).status_code == 404
        assert theirs["csrf"] != form["csrf"]
        assert await desk.status() == "open"


@pytest.mark.parametrize("field", ["token", "method", "csrf"])
async def test_a_form_without_one_of_its_fields_charges_nothing(shop: Shop, field: str) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        form = await desk.form(await good_card(shop))
        del form[field]
        answer = await grace.post(desk.page, form)
        assert answer.status_code == (403 if field == "csrf" else 422)
        assert await desk.status() == "open"
