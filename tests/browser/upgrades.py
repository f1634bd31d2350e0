"""A customer of Lumen on the way to a larger plan, and what must hold afterwards."""

from playwright.async_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor

#: The one button that makes the change.
CONFIRM = "form.confirm button"


async def arrive(
    platform: Platform, visit: OpenVisitor, *, card: str = "pm_card_visa", scripts: bool = True
) -> tuple[Visitor, Buyer]:
    """A customer of Lumen on the small plan, signed in."""
    buyer = await platform.shopfronts["lumen"].new_buyer("starter", card)
    visitor = await visit("lumen", java_script_enabled=scripts)
    await visitor.sign_in(buyer.email)
    return visitor, buyer


def review_path(visitor: Visitor, buyer: Buyer) -> str:
    """The page that shows what the large plan costs."""
    price = visitor.shopfront.prices["scale"]
    return f"/subscriptions/{buyer.subscription_id}/change/review?price={price}"


async def review(visitor: Visitor, buyer: Buyer) -> None:
    """Look at what the large plan costs."""
    await visitor.go(review_path(visitor, buyer))
    await expect(visitor.heading).to_have_text("Review your change")


async def changed_once(visitor: Visitor, buyer: Buyer) -> None:
    """One change was made, and one invoice came of it, besides that of the purchase."""
    assert await visitor.shopfront.plan(buyer) == "scale"
    assert await visitor.shopfront.changes(buyer) == ["done"]
    assert len(await visitor.shopfront.invoices(buyer)) == 2


async def unchanged(visitor: Visitor, buyer: Buyer) -> None:
    """Nothing was changed and nothing charged."""
    assert await visitor.shopfront.plan(buyer) == "starter"
    assert len([it for it in await visitor.shopfront.invoices(buyer) if it.status == "paid"]) == 1
