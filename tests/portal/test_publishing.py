"""Rules that are published while a customer is at work: what was shown is done, or nothing is."""

import asyncio

import msgspec
import pytest

from tenants.catalog import ChangeRules
from tenants.configuration import load_published, publish
from tests.portal.shop import Shop, hidden_fields
from tests.portal.test_change import charges, price_of, review


async def publish_rules(shop: Shop, rules: ChangeRules) -> None:
    """Publish other change rules, and wait until this process knows them."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        published = await load_published(unit.connection, shop.tenant_id)
        changed = msgspec.structs.replace(published.configuration, changes=rules)
        version = await publish(unit.connection, shop.tenant_id, changed, "test")
    while True:
        entry = shop.deployment.directory.by_slug(shop.merchant.slug)
        if entry and entry.published_version == version:
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (ChangeRules(upgrade="period_end"), "check it once more"),
        (ChangeRules(upgrade="now", proration="none"), "check it once more"),
        (ChangeRules(upgrade="forbidden"), "cannot be made here"),
    ],
)
async def test_other_rules_than_were_shown_are_not_confirmed_unseen(
    shop: Shop, rules: ChangeRules, words: str
) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        had, paid = await price_of(shop, "ada"), await charges(shop, ada.customer_id)
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        await publish_rules(shop, rules)
        answer = await ada.post(f"/subscriptions/{subscription.id}/change", fields)
        assert answer.status_code == 409
        assert words in answer.text
        assert await price_of(shop, "ada") == had
        assert await charges(shop, ada.customer_id) == paid


async def test_rules_that_say_the_same_disturb_nobody(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        await publish_rules(shop, ChangeRules(downgrade="forbidden"))
        result = await ada.follow(f"/subscriptions/{subscription.id}/change", fields)
        assert "Your plan is changed" in result.text
        assert await price_of(shop, "ada") == shop.prices["scale"]


async def test_what_waited_for_the_end_does_not_happen_now(shop: Shop) -> None:
    """Nothing is due either way, so that the amount alone would not tell."""
    async with shop.signed_in("linus") as linus:
        subscription = await shop.subscription("linus")
        await publish_rules(shop, ChangeRules(downgrade="now", proration="none"))
        shown = await review(linus, subscription.id, shop.prices["starter"])
        fields = hidden_fields(shown)
        await publish_rules(shop, ChangeRules(downgrade="forbidden"))
        answer = await linus.post(f"/subscriptions/{subscription.id}/change", fields)
        assert answer.status_code == 409
