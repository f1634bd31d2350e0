"""A failed payment from end to end: tried again, told of by mail, and paid with one tap."""

from typing import NamedTuple

import pytest
from playwright.async_api import Page, expect

from guichet.money import Money, format_money
from tests.browser.conftest import OpenVisitor
from tests.browser.mail_reader import Clock, MailReader, look_until
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_GRACE = "grace@example.com"


class Scene(NamedTuple):
    """Where it happens, and by how many days the clock is moved each time until a retry is due."""

    slug: str
    scripts: bool
    width: int
    steps: tuple[int, ...]


_SCENES = (
    # Eight tries in fourteen days; and Polar's, after 2 days and then 5 more.
    Scene("lumen", scripts=True, width=1280, steps=(1, 3)),
    Scene("volta", scripts=False, width=390, steps=(1, 7)),
)


class FailedPayment:
    """Grace's unpaid invoice at one merchant, as she sees it and as the provider has it."""

    def __init__(self, visitor: Visitor, buyer: Buyer, amount: int) -> None:
        self.visitor = visitor
        self.buyer = buyer
        money = Money(amount, visitor.shopfront.merchant.currency)
        self.amount = format_money(money, visitor.locale)
        self.notice = visitor.page.locator(".notice.failed")

    async def charges(self) -> list[str]:
        """What became of each charge of the invoice at the provider, oldest first."""
        return await self.visitor.shopfront.charges(self.buyer)

    async def tells_what_failed(self) -> str:
        """What the notice says: what failed, when it is tried again, and what it means."""
        await self.visitor.go("/")
        await look_until(self.visitor.page, self.notice)
        await expect(self.notice).to_contain_text(self.amount)
        await expect(self.notice).to_contain_text("We will try again on")
        await expect(self.notice).to_contain_text("You can go on using your subscription")
        return await self.notice.inner_text()


async def _pay_with_another_card(tab: Page, amount: str) -> None:
    """From the page that a mail's link opens, through Checkout, to the thanks."""
    await expect(tab.locator("h1")).to_have_text(f"Pay {amount}")
    await tab.get_by_role("button", name="Pay with another card", exact=True).click()
    await tab.get_by_label("Card number").fill("4242 4242 4242 4242")
    await tab.get_by_label("Expiration date").fill("12 / 34")
    await tab.get_by_label("Security code").fill("123")
    await tab.get_by_label("Cardholder name").fill("Grace Hopper")
    await tab.get_by_role("button", name="Save card", exact=True).click()
    await expect(tab.locator("h1")).to_have_text("Thank you, this is paid")


@pytest.mark.parametrize("scene", _SCENES, ids=lambda scene: scene.slug)
async def test_grace_goes_from_past_due_through_retries_and_mails_to_recovered(
    platform: Platform, visit: OpenVisitor, scene: Scene
) -> None:
    shopfront = platform.shopfronts[scene.slug]
    options = {"java_script_enabled": scene.scripts, "locale": "en"}
    grace = await visit(scene.slug, scene.width, **options)
    await grace.sign_in(_GRACE)
    buyer = await shopfront.buyer(_GRACE)
    payment = FailedPayment(grace, buyer, await shopfront.owed(buyer))
    reader = MailReader(await visit(scene.slug, scene.width, **options), _GRACE)
    clock = Clock(await visit(scene.slug, scene.width, **options))

    told = await payment.tells_what_failed()
    assert "did not go through" in await reader.wait_for(1)
    assert await payment.charges() == ["failed"]
    assert await shopfront.standing(buyer) == ("waiting", "grace")

    for number, days in enumerate(scene.steps, start=1):
        await clock.advance(days)
        assert "did not go through" in await reader.wait_for(1 + number)
        assert await payment.charges() == ["failed"] * (1 + number)
        before, told = told, await payment.tells_what_failed()
        assert told != before

    tab = await reader.follow_newest()
    await _pay_with_another_card(tab, payment.amount)
    assert "went through" in await reader.wait_for(2 + len(scene.steps))
    assert await payment.charges() == [*["failed"] * (1 + len(scene.steps)), "succeeded"]
    assert await shopfront.standing(buyer) == ("recovered", "ok")
    await grace.go("/")
    await expect(payment.notice).to_have_count(0)
    await expect(grace.page.locator("article.subscription .badge")).to_have_text("Active")
    assert not await grace.scrolls_sideways()
