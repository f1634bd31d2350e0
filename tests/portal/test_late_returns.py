"""Who comes back from the bank late, or to a provider that is silent, is told nothing untrue."""

from datetime import timedelta

from guichet.billing.dunning.unfinished import settle_unfinished
from tests.payments.hosted import confirm_at_the_bank
from tests.portal.debts import charges_of, hold_card, let_time_pass, payments_of
from tests.portal.shop import Shop, left_for
from tests.portal.test_paying import NOT_SURE, PAID, WAITING, Desk, desk_for

_DENIED = "Nothing was charged"


async def give_up(shop: Shop) -> None:
    """Let half an hour pass, and a worker come by."""
    await let_time_pass(shop, timedelta(minutes=31))
    deployment = shop.deployment
    settled = await settle_unfinished(
        deployment.db, deployment.providers, deployment.directory, shop.tenant_id
    )
    assert settled == 1


async def at_the_bank(desk: Desk) -> tuple[str, str]:
    """Pay with what the bank asks about; answers the bank's page, and where it leads back to."""
    form = await desk.form(await hold_card(desk.shop, "grace", "pm_card_authenticationRequired"))
    bank = left_for(await desk.grace.post(desk.page, form))
    return bank, f"/invoices/{desk.invoice_id}/paid?payment={form['token']}"


async def test_who_confirms_after_half_an_hour_has_paid(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        bank, back = await at_the_bank(desk)
        await give_up(shop)
        before = (await charges_of(shop)).count("succeeded")
        await confirm_at_the_bank(bank)
        # No event has told the mirror of it.
        assert PAID in (await grace.get(back)).text
        assert [state for state, _ in await payments_of(shop, grace)] == ["succeeded"]
        assert PAID in (await grace.get(desk.page)).text
        assert (await charges_of(shop)).count("succeeded") == before + 1


async def test_who_comes_back_while_the_provider_is_silent_is_not_denied(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        bank, back = await at_the_bank(desk)
        await give_up(shop)
        await confirm_at_the_bank(bank)
        fault = {"mode": "error", "status": 500, "count": 20, "path": "/v1/"}
        await shop.control({"fail_next_requests": [fault]})
        page = await grace.get(back)
        assert NOT_SURE in page.text
        assert _DENIED not in page.text
        assert page.headers["refresh"] == "5"
        await shop.control({"fail_next_requests": []})
        assert PAID in (await grace.get(back)).text


async def test_a_payment_that_was_given_up_can_still_be_confirmed(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        bank, back = await at_the_bank(desk)
        await give_up(shop)
        page = await grace.get(back)
        assert WAITING in page.text
        assert bank in page.text


async def test_what_was_never_asked_for_is_told_as_not_charged(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        fault = {"mode": "error", "status": 500, "count": 20, "path": "/v1/payment_intents/"}
        await shop.control({"fail_next_requests": [fault]})
        form = await desk.form(await hold_card(shop, "grace", "pm_card_visa"))
        answer = await grace.post(desk.page, form)
        await shop.control({"fail_next_requests": []})
        await give_up(shop)
        assert _DENIED in (await grace.get(answer.headers["location"])).text
        # As long as the provider does not say so once more, nothing is claimed.
        await shop.control({"fail_next_requests": [{**fault, "path": "/v1/"}]})
        page = (await grace.get(answer.headers["location"])).text
        assert NOT_SURE in page
        assert _DENIED not in page
