"""The portal obeys the table of change rules, from the moment that it is published."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants.catalog import ChangeRule, ChangeRules
from tests.portal.shop import Shop, hidden_fields
from tests.portal.test_change import review


async def test_a_rule_that_is_published_decides_at_once(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        page = await review(ada, held.id, shop.prices["scale"])
        assert "At once, when you confirm" in page
        rule = ChangeRule(to_plan=shop.prices["scale"], when="period_end")
        await shop.republish(changes=ChangeRules(rules=(rule,)))
        answer = await ada.post(f"/subscriptions/{held.id}/change", hidden_fields(page))
        assert answer.status_code == 409
        assert "The merchant has changed how this is done" in answer.text
        result = await ada.follow(f"/subscriptions/{held.id}/change", hidden_fields(answer.text))
        assert "Your change is planned" in result.text
        assert (await shop.subscription("ada")).schedule is not None


async def test_a_plan_that_a_rule_forbids_is_neither_offered_nor_taken(shop: Shop) -> None:
    rule = ChangeRule(to_plan=shop.prices["scale"], when="forbidden")
    await shop.republish(changes=ChangeRules(rules=(rule,)))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path = f"/subscriptions/{held.id}/change"
        assert shop.prices["scale"] not in (await ada.get(path)).text
        refused = await ada.get(f"{path}/review?price={shop.prices['scale']}")
        assert refused.status_code == 409


async def test_a_new_period_begins_where_a_rule_says_so(shop: Shop) -> None:
    await shop.republish(changes=ChangeRules(rules=(ChangeRule(anchor="now"),)))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        page = await review(ada, held.id, shop.prices["scale"])
        assert "A new one begins with this change" in page
        fields = hidden_fields(page)
        result = await ada.follow(f"/subscriptions/{held.id}/change", fields)
        assert "Your plan is changed" in result.text
    item = (await shop.subscription("ada")).to_dict()["items"]["data"][0]
    begun = datetime.fromtimestamp(item["current_period_start"], UTC)
    assert datetime.now(UTC) - begun < timedelta(hours=1)


@pytest.mark.parametrize("trial", ["continue", "end"])
async def test_a_trial_goes_on_or_ends_as_a_rule_says(shop: Shop, trial: str) -> None:
    rule = ChangeRule(status="trialing", trial=trial)  # type: ignore[arg-type]
    await shop.republish(changes=ChangeRules(rules=(rule,)))
    async with shop.signed_in("linus") as linus:
        held = await shop.subscription("linus")
        assert held.status == "trialing"
        current = held.to_dict()["items"]["data"][0]["price"]["id"]
        target = next(it for it in shop.prices.values() if it != current)
        page = await review(linus, held.id, target)
        fields = hidden_fields(page)
        assert ("your first period begins" in page) == (trial == "end")
        assert (int(fields["due_now"]) > 0) == (trial == "end")
        await linus.follow(f"/subscriptions/{held.id}/change", fields)
    changed = await shop.subscription("linus")
    assert changed.status == ("active" if trial == "end" else "trialing")
    assert changed.to_dict()["items"]["data"][0]["price"]["id"] == target


async def test_what_is_overdue_can_be_changed_where_a_rule_names_it(shop: Shop) -> None:
    rule = ChangeRule(status="past_due", when="period_end")
    await shop.republish(changes=ChangeRules(rules=(rule,)))
    async with shop.signed_in("grace") as grace:
        held = await shop.subscription("grace")
        assert held.status == "past_due"
        assert f"/subscriptions/{held.id}/change" in (await grace.get("/")).text
        current = held.to_dict()["items"]["data"][0]["price"]["id"]
        target = next(it for it in shop.prices.values() if it != current)
        fields = hidden_fields(await review(grace, held.id, target))
        result = await grace.follow(f"/subscriptions/{held.id}/change", fields)
        assert "Your change is planned" in result.text
