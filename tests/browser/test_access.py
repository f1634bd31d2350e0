"""Every kind of page in every theme, scheme, language and width: axe finds nothing, all fits."""

from typing import NamedTuple

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from guichet.auth.sessions import open_session
from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_WIDE, _PHONE = 1280, 390
#: Nothing may be cut off in a window as narrow as this (WCAG 2.2, success criterion 1.4.10).
_NARROWEST = 320
_PLANS = {"lumen": ("starter", "scale"), "marmite": ("two", "five"), "volta": ("spark", "storm")}


class Look(NamedTuple):
    """How a page is seen while axe examines it; its width is measured in all of them."""

    locale: str
    scheme: str
    width: int


_LOOKS = (Look("en", "light", _WIDE), Look("fr", "dark", _PHONE))


async def examine(page: Page, look: Look) -> list[str]:
    """What is wrong with the page that is open, in this look."""
    name = f"{page.url} {look}"
    found = []
    for width in (_WIDE, _PHONE, _NARROWEST):
        await page.set_viewport_size({"width": width, "height": 900})
        needed = await page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{name}: {needed} px wide on {width} px")
    await page.set_viewport_size({"width": look.width, "height": 900})
    result = await Axe().run(page)
    for violation in result.response["violations"]:
        nodes = [node["html"] for node in violation["nodes"]]
        found.append(f"{name}: {violation['id']}: {nodes}")
    return found


class Round:
    """A round through all pages of one portal in one look."""

    def __init__(self, platform: Platform, visitor: Visitor, look: Look) -> None:
        self.platform = platform
        self.visitor = visitor
        self.look = look
        self.shopfront = visitor.shopfront
        self.small, self.large = _PLANS[visitor.shopfront.merchant.slug]
        self.findings: list[str] = []
        self.seen: set[str] = set()

    async def look_at(self, *paths: str) -> None:
        """Open and examine pages."""
        for path in paths:
            await self.visitor.go(path)
            await self.examine()

    async def examine(self) -> None:
        """Examine the page that is open."""
        self.seen.add(await self.visitor.page.locator("h1").inner_text())
        self.findings += await examine(self.visitor.page, self.look)

    async def enter(self, customer_id: str) -> None:
        """Be signed in as a customer."""
        async with self.platform.db.unit(self.shopfront.tenant_id) as unit:
            token = await open_session(unit, customer_id, "test", "a test")
        await self.visitor.context.add_cookies(
            [{"name": "guichet-session", "value": token, "url": self.shopfront.origin}]
        )

    async def enter_as(self, who: str) -> str:
        """Be signed in as one of the demo's people; the path of their newest subscription."""
        customers = await self.shopfront.stripe.v1.customers.list_async(
            {"email": f"{who}@example.com"}
        )
        customer = customers.data[0]
        await self.enter(customer.id)
        found = await self.shopfront.stripe.v1.subscriptions.list_async(
            {"customer": customer.id, "status": "all"}
        )
        return f"/subscriptions/{found.data[0].id}"

    def review(self, here: str, plan: str) -> str:
        """The path of the page that shows what a plan costs."""
        return f"{here}/change/review?price={self.shopfront.prices[plan]}"

    async def confirm(self) -> None:
        """Send the page's form and examine its outcome."""
        await self.visitor.page.locator("form.confirm button").click()
        await self.visitor.page.wait_for_url("**/changes/*")
        await self.examine()

    async def doors(self) -> None:
        """Nobody is signed in, and signing in goes wrong."""
        await self.look_at("/sign-in", "/sign-in/demo/callback?state=x&code=y")
        email = "nobody@example.com"
        await self.platform.introduce(email)
        await self.visitor.sign_in(email)
        await expect(self.visitor.main).to_contain_text(email)
        await self.examine()

    async def people(self) -> None:
        """The demo's people: in order, past due, in a trial, gone."""
        ada = await self.enter_as("ada")
        await self.look_at("/", "/invoices", ada, f"{ada}/change", f"{ada}/cancel")
        await self.look_at(f"{ada}/change/review", "/no-such-page", "/invoices?after=1-in_none")
        grace = await self.enter_as("grace")
        await self.look_at("/", grace, f"{grace}/change")
        linus = await self.enter_as("linus")
        await self.look_at("/", self.review(linus, self.large))
        zoe = await self.enter_as("zoe")
        await self.look_at("/", f"{zoe}/cancel")

    async def changes(self, buyer: Buyer) -> None:
        """Each page on the way of changing, and each outcome."""
        here = f"/subscriptions/{buyer.subscription_id}"
        await self.enter(buyer.customer_id)
        await self.look_at(self.review(here, self.large))
        await self.confirm()
        await self.look_at(self.review(here, self.small))
        await self.confirm()
        await self.look_at("/", f"{here}/change")
        await self.undo("Keep my current plan")
        await self.visitor.go(f"{here}/cancel")
        await self.confirm()
        await self.look_at("/")
        await self.undo("Keep my subscription")
        await self.shopfront.use_card(buyer.customer_id, "pm_card_chargeCustomerFail")
        async with self.shopfront.misbehaving(fail_next_requests=[{"mode": "refused"}] * 9):
            await self.look_at(self.review(here, self.small))

    async def undo(self, button: str) -> None:
        """Take back what is planned, from the home page."""
        await self.visitor.go("/")
        await self.visitor.button(button).click()
        await self.visitor.page.wait_for_url("**/changes/*")
        await self.examine()


@pytest.fixture(params=_LOOKS, ids=lambda look: f"{look.locale}-{look.scheme}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    """One way to see the pages."""
    seen: Look = request.param
    return seen


@pytest.mark.parametrize("slug", _PLANS)
async def test_every_page_of_a_portal_is_open_to_everybody(
    platform: Platform, visit: OpenVisitor, slug: str, look: Look
) -> None:
    visitor = await visit(slug, locale=look.locale, color_scheme=look.scheme)
    tour = Round(platform, visitor, look)
    await tour.doors()
    await tour.people()
    await tour.changes(await visitor.shopfront.new_buyer(tour.small))
    assert tour.findings == []
    assert len(tour.seen) >= 14, tour.seen


async def test_pages_without_a_tenant_are_open_to_everybody(
    platform: Platform, visit: OpenVisitor, look: Look
) -> None:
    visitor = await visit("lumen", locale=look.locale, color_scheme=look.scheme)
    base = platform.settings.base_domain
    findings = []
    for address in (f"http://{base}/", f"http://{base}/nothing", f"http://nobody.{base}/"):
        await visitor.page.goto(address)
        findings += await examine(visitor.page, look)
    assert findings == []


async def test_the_sandboxs_pages_are_open_to_everybody(
    platform: Platform, visit: OpenVisitor, look: Look
) -> None:
    visitor = await visit("lumen", locale=look.locale, color_scheme=look.scheme)
    findings = []
    tour = Round(platform, visitor, look)
    await tour.enter_as("ada")
    await visitor.go("/invoices")
    invoices = visitor.page.locator("table.invoices a")
    await invoices.first.click()
    findings += await examine(visitor.page, look)
    path = await _invoice_path(tour)
    await visitor.go(f"{path}/pay")
    findings += await examine(visitor.page, look)
    await visitor.page.goto(f"{platform.settings.stripe_url}/_control")
    findings += await examine(visitor.page, look)
    assert findings == []


async def _invoice_path(tour: Round) -> str:
    await tour.visitor.go("/invoices")
    link = tour.visitor.page.locator("table.invoices a[href$='/pdf']").first
    return (await link.get_attribute("href") or "").removesuffix("/pdf")
