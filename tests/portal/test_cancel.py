"""Cancelling at the end of the period, and taking it back."""

import asyncio

from tests.portal.shop import Shop, hidden_fields


async def test_a_cancellation_ends_the_subscription_with_its_period_and_can_be_undone(
    shop: Shop,
) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}"
        fields = hidden_fields((await ada.get(f"{path}/cancel")).text)
        result = await ada.follow(f"{path}/cancel", fields)
        assert "Your subscription will end" in result.text
        assert (await shop.subscription("ada")).cancel_at_period_end
        kept = await ada.follow(f"{path}/keep", {"csrf": fields["csrf"]})
        assert "Your subscription continues" in kept.text
        assert not (await shop.subscription("ada")).cancel_at_period_end


async def test_cancelling_twice_at_once_makes_one_request(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}/cancel"
        fields = hidden_fields((await ada.get(path)).text)
        answers = await asyncio.gather(*(ada.post(path, fields) for _ in range(4)))
        assert len({answer.headers.get("location") for answer in answers}) == 1
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        made = await unit.fetchval(
            "select count(*) from change_requests where tenant_id = $1", shop.tenant_id
        )
    assert made == 1


async def test_an_ended_subscription_cannot_be_cancelled(shop: Shop) -> None:
    async with shop.signed_in("zoe") as zoe:
        subscription = await shop.subscription("zoe")
        page = await zoe.get(f"/subscriptions/{subscription.id}/cancel")
        assert page.status_code == 409
        assert "This subscription has ended" in page.text


async def test_what_is_already_cancelling_says_so(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}/cancel"
        fields = hidden_fields((await ada.get(path)).text)
        other_tab = hidden_fields((await ada.get(path)).text)
        await ada.follow(path, fields)
        second = await ada.post(path, other_tab)
        assert second.status_code == 409
        assert "already set to end" in second.text


async def test_nothing_to_keep_and_nothing_to_undo_say_so(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}"
        csrf = {"csrf": hidden_fields((await ada.get(f"{path}/cancel")).text)["csrf"]}
        assert "is not set to end" in (await ada.post(f"{path}/keep", csrf)).text
        assert "No change is planned" in (await ada.post(f"{path}/change/undo", csrf)).text


async def test_a_double_click_on_taking_something_back_shows_what_was_done(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}"
        fields = hidden_fields((await ada.get(f"{path}/cancel")).text)
        await ada.follow(f"{path}/cancel", fields)
        csrf = {"csrf": fields["csrf"]}
        answers = await asyncio.gather(*(ada.post(f"{path}/keep", csrf) for _ in range(4)))
        answers.append(await ada.post(f"{path}/keep", csrf))
        places = {answer.headers.get("location", answer.text) for answer in answers}
        assert len(places) == 1, places
        assert "Your subscription continues" in (await ada.get(places.pop())).text
