"""The main job in every portal, with and without scripts, on a desk and on a phone."""

import re
from typing import NamedTuple

import pytest
from playwright.async_api import expect

from guichet.money import Money, format_money
from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


class Plans(NamedTuple):
    """What a merchant's customer begins with and changes to, by the offers' keys."""

    small: str
    large: str


PLANS = {
    "lumen": Plans("starter", "scale"),
    "marmite": Plans("two", "five"),
    "volta": Plans("spark", "storm"),
}


class Walk:
    """A customer's way through their portal, one step after the other."""

    def __init__(self, visitor: Visitor, buyer: Buyer, plans: Plans) -> None:
        self.visitor = visitor
        self.buyer = buyer
        self.plans = plans
        self.shopfront = visitor.shopfront
        offers = {offer.key: offer for offer in self.shopfront.merchant.offers}
        self.small, self.large = offers[plans.small], offers[plans.large]
        self.card = visitor.page.locator("article.subscription")

    async def sign_in(self) -> None:
        """The home page leads to the sign-in page, and from there back home."""
        await self.visitor.go("/")
        assert self.visitor.path == "/sign-in"
        await self.visitor.sign_in(self.buyer.email)
        assert self.visitor.path == "/"
        await expect(self.card.get_by_role("heading")).to_have_text(self.small.product)
        await expect(self.card).to_contain_text(self.amount(self.small.amount))

    def amount(self, minor: int) -> str:
        """Money as the page writes it."""
        money = Money(minor, self.shopfront.merchant.currency)
        return format_money(money, self.visitor.locale)

    async def _review(self, product: str) -> None:
        say = self.visitor
        await say.link("Change plan").click()
        await say.page.get_by_role("radio", name=re.compile(product)).check()
        await say.button("Continue to review").click()
        await expect(say.heading).to_have_text(say.say("Review your change"))

    async def upgrade(self) -> None:
        """What the review shows is what the invoice then says, and home shows the new plan."""
        say = self.visitor
        await self._review(self.large.product)
        due = int(await say.page.locator("input[name=due_now]").input_value())
        assert 0 < due <= self.large.amount
        await expect(say.page.locator(".due dd")).to_have_text(self.amount(due))
        await say.button("Confirm and pay %(amount)s", amount=self.amount(due)).click()
        await expect(say.heading).to_have_text(say.say("Your plan is changed"))
        newest = (await self.shopfront.invoices(self.buyer))[0]
        assert (newest.total, newest.status) == (due, "paid")
        await say.link("Back to my subscriptions").click()
        await expect(self.card.get_by_role("heading")).to_have_text(self.large.product)
        await self._shows_invoice(newest.number or "", self.amount(due))

    async def _shows_invoice(self, number: str, amount: str) -> None:
        """The invoice comes with an event of the provider, a moment after the change."""
        row = self.visitor.page.locator("table.invoices tbody tr", has_text=number)
        for _ in range(50):
            if await row.count():
                break
            await self.visitor.page.wait_for_timeout(100)
            await self.visitor.page.reload()
        await expect(row).to_contain_text(amount)
        await expect(row).to_contain_text(self.visitor.say("Paid"))

    async def plan_and_undo_a_downgrade(self) -> None:
        """A downgrade waits for the end of the period, costs nothing now, and is undone."""
        say = self.visitor
        await self._review(self.small.product)
        await expect(say.page.locator(".due dd")).to_have_text(self.amount(0))
        await say.button("Confirm the change").click()
        await expect(say.heading).to_have_text(say.say("Your change is planned"))
        await say.link("Back to my subscriptions").click()
        await expect(self.card.locator(".banner")).to_contain_text(self.small.product)
        await say.button("Keep my current plan").click()
        await expect(say.heading).to_have_text(say.say("You keep your current plan"))
        assert (await self.shopfront.subscription(self.buyer)).schedule is None

    async def cancel_and_keep(self) -> None:
        """A cancellation waits for the end of the period, and is taken back."""
        say = self.visitor
        await say.link("Back to my subscriptions").click()
        await say.link("Cancel subscription").click()
        await say.button("Cancel subscription").click()
        await expect(say.heading).to_have_text(say.say("Your subscription will end"))
        assert (await self.shopfront.subscription(self.buyer)).cancel_at_period_end
        await say.link("Back to my subscriptions").click()
        await say.button("Keep my subscription").click()
        await expect(say.heading).to_have_text(say.say("Your subscription continues"))
        assert not (await self.shopfront.subscription(self.buyer)).cancel_at_period_end
        await say.link("Back to my subscriptions").click()
        assert await self.shopfront.plan(self.buyer) == self.plans.large

    async def read_documents(self) -> None:
        """The list of invoices, the newest one's receipt and its PDF."""
        say = self.visitor
        await say.link("Invoices").click()
        rows = say.page.locator("table.invoices tbody tr")
        await expect(rows).to_have_count(2)
        await rows.first.get_by_role("link", name=say.say("Receipt")).click()
        await expect(say.page.locator("main")).to_contain_text("4242")
        await say.page.go_back()
        async with say.page.expect_response(re.compile("/pdf$")) as answered:
            # The number of an invoice is in its links' names, and may spell anything.
            await rows.first.get_by_role("link", name=re.compile("^PDF ")).click()
        await (await answered.value).finished()
        await expect(say.page).to_have_url(re.compile(r"^http://127\.0\.0\.1:[0-9]+/i/.*/pdf$"))
        await say.page.go_back()

    async def switch_language(self) -> None:
        """The other language, on the same page, and back again."""
        say = self.visitor
        home, other = say.locale, "en" if say.locale == "fr" else "fr"
        names = {"en": "English", "fr": "Français"}
        for locale in (other, home):
            await say.page.get_by_role("link", name=names[locale], exact=True).click()
            say.locale = locale
            assert say.path == "/invoices"
            await expect(say.heading).to_have_text(say.say("Invoices"))
            await expect(say.page.locator("html")).to_have_attribute("lang", locale)

    async def sign_out(self) -> None:
        """Nothing is to be seen afterwards: not by the back button, not by an old address."""
        say = self.visitor
        await say.button("Sign out").click()
        await say.page.wait_for_url("**/sign-in")
        await self._sees_nothing()
        await say.page.go_back()
        await self._sees_nothing()
        for path in ("/", "/invoices", f"/subscriptions/{self.buyer.subscription_id}/change"):
            await say.go(path)
            await self._sees_nothing()

    async def _sees_nothing(self) -> None:
        say = self.visitor
        name = self.shopfront.merchant.name
        await expect(say.link("Continue with %(provider)s", provider=name)).to_be_visible()
        content = await say.page.content()
        assert "Béatrice" not in content
        assert self.buyer.subscription_id not in await say.main.inner_text()
        assert "4242" not in content


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize("slug", PLANS)
async def test_a_customer_does_what_they_came_for(
    platform: Platform, visit: OpenVisitor, slug: str, scripts: bool, width: int
) -> None:
    plans = PLANS[slug]
    buyer = await platform.shopfronts[slug].new_buyer(plans.small)
    visitor = await visit(slug, width, java_script_enabled=scripts)
    walk = Walk(visitor, buyer, plans)
    await walk.sign_in()
    await walk.upgrade()
    await walk.plan_and_undo_a_downgrade()
    await walk.cancel_and_keep()
    await walk.read_documents()
    await walk.switch_language()
    assert not await visitor.scrolls_sideways()
    await walk.sign_out()
    assert await platform.shopfronts[slug].changes(buyer) == ["done"] * 5


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
async def test_older_invoices_are_a_page_away(visit: OpenVisitor, scripts: bool) -> None:
    visitor = await visit("marmite", 390, java_script_enabled=scripts)
    await visitor.go("/invoices")
    await visitor.sign_in("ada@example.com")
    assert visitor.path == "/invoices"
    numbers = visitor.page.locator("table.invoices td.number")
    newest = await numbers.all_inner_texts()
    await visitor.link("Older").click()
    await visitor.page.wait_for_url("**/invoices?after=*")
    older = await numbers.all_inner_texts()
    assert len(newest) == len(older) == 25
    assert not set(newest) & set(older)
    place = visitor.path
    await visitor.page.get_by_role("link", name="English", exact=True).click()
    assert visitor.path == place
    assert await numbers.all_inner_texts() == older
    await visitor.page.get_by_role("link", name="Newest", exact=True).click()
    await visitor.page.wait_for_url("**/invoices")
    assert await numbers.all_inner_texts() == newest
    await visitor.page.get_by_role("link", name="Français", exact=True).click()
