"""What goes wrong on the way ends well: one change at most, and a page that says what happened."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor
from tests.cli.running import run_guichet

pytestmark = pytest.mark.browser

_SLOW_MS = 900
#: The one button that makes the change.
_CONFIRM = "form.confirm button"
_SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


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


@_SCRIPTS
async def test_a_double_click_makes_one_change(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS // 3):
        await visitor.page.locator(_CONFIRM).dblclick(no_wait_after=True)
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


@_SCRIPTS
async def test_enter_and_a_click_make_one_change(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    await review(visitor, buyer)
    button = visitor.page.locator(_CONFIRM)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS // 3):
        box = await button.bounding_box()
        assert box
        await button.focus()
        await asyncio.gather(
            visitor.page.keyboard.press("Enter"),
            visitor.page.mouse.click(box["x"] + 9, box["y"] + 9),
        )
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_going_back_after_confirming_does_not_offer_the_change_again(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await visitor.page.go_back()
    await expect(visitor.main).to_contain_text("You already have this plan")
    await expect(visitor.page.locator(_CONFIRM)).to_have_count(0)
    await visitor.page.go_forward()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await visitor.page.reload()
    await changed_once(visitor, buyer)


async def test_a_second_tab_learns_what_the_first_one_did(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    other = await visitor.context.new_page()
    await other.goto(visitor.page.url)
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await other.locator(_CONFIRM).click()
    await expect(other.locator("main")).to_contain_text("You already have this plan")
    await changed_once(visitor, buyer)


@_SCRIPTS
async def test_a_slow_provider_is_waited_for(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS):
        await review(visitor, buyer)
        await visitor.page.locator(_CONFIRM).click()
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_a_provider_that_is_down_says_so_and_the_form_works_afterwards(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    down = [{"mode": "refused", "count": 1000}]
    async with visitor.shopfront.misbehaving(fail_next_requests=down):
        answer = await visitor.go(review_path(visitor, buyer))
        assert answer
        assert answer.status == 503
        await expect(visitor.main).to_contain_text("The payment provider does not answer right now")
        await visitor.go("/")
        await expect(visitor.main).to_contain_text("Starter")
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(fail_next_requests=down):
        await visitor.page.locator(_CONFIRM).click()
        await expect(visitor.main).to_contain_text("The payment provider does not answer right now")
    await unchanged(visitor, buyer)
    await visitor.page.go_back()
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_an_answer_that_is_lost_is_looked_for_while_the_page_waits(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=False)
    await review(visitor, buyer)
    lost = [{"mode": "lost", "method": "POST", "path": "/v1/subscriptions/", "count": 20}]
    async with visitor.shopfront.misbehaving(fail_next_requests=lost):
        await visitor.page.locator(_CONFIRM).click()
        await expect(visitor.heading).to_have_text("We are checking your change")
        await visitor.go("/")
        await expect(visitor.main).to_contain_text("A change is being made")
        await expect(visitor.link("Change plan")).to_have_count(0)
    assert await visitor.shopfront.plan(buyer) == "scale"
    assert len(await visitor.shopfront.invoices(buyer)) == 2


async def test_a_network_that_fails_before_the_form_arrives_changes_nothing(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    await visitor.context.set_offline(True)
    async with visitor.page.expect_event("requestfailed"):
        await visitor.page.locator(_CONFIRM).click(no_wait_after=True)
    await unchanged(visitor, buyer)
    await visitor.context.set_offline(False)
    await review(visitor, buyer)
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_a_network_that_fails_before_the_answer_arrives_leaves_one_change(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS):
        async with visitor.page.expect_event("request", lambda it: it.method == "POST"):
            await visitor.page.locator(_CONFIRM).click(no_wait_after=True)
        await visitor.page.goto("about:blank")
        for _ in range(100):
            if await visitor.shopfront.changes(buyer) == ["done"]:
                break
            await asyncio.sleep(0.1)
    await visitor.go(review_path(visitor, buyer))
    await expect(visitor.main).to_contain_text("You already have this plan")
    await changed_once(visitor, buyer)


async def test_a_declined_card_changes_nothing_and_can_be_tried_again(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, card="pm_card_chargeCustomerFail")
    await review(visitor, buyer)
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan was not changed")
    await expect(visitor.main.get_by_role("alert")).to_contain_text("declined")
    await unchanged(visitor, buyer)
    await visitor.shopfront.use_card(buyer.customer_id, "pm_card_visa")
    await visitor.link("Try again").click()
    await visitor.page.get_by_role("radio", name=re.compile("Scale")).check()
    await visitor.button("Continue to review").click()
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    assert await visitor.shopfront.changes(buyer) == ["refused", "done"]


async def test_a_session_that_ends_in_another_tab_ends_here_and_comes_back_to_the_page(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    other = await visitor.context.new_page()
    await other.goto(visitor.shopfront.origin)
    await other.get_by_role("button", name="Sign out").click()
    await visitor.page.locator(_CONFIRM).click()
    assert visitor.path.startswith("/sign-in?next=")
    await unchanged(visitor, buyer)
    await visitor.sign_in(buyer.email)
    assert visitor.path == review_path(visitor, buyer)
    await visitor.page.locator(_CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")


async def test_a_session_that_expires_leads_back_to_the_page_that_was_wanted(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=False)
    await visitor.go(f"/subscriptions/{buyer.subscription_id}/change")
    await visitor.shopfront.end_sessions(buyer)
    await visitor.page.get_by_role("radio", name=re.compile("Scale")).check()
    await visitor.button("Continue to review").click()
    assert visitor.path.startswith("/sign-in?next=")
    await visitor.page.get_by_role("link", name="Français").click()
    visitor.locale = "fr"
    await visitor.sign_in(buyer.email)
    await expect(visitor.heading).to_have_text("Vérifiez votre changement")
    await expect(visitor.main).to_contain_text("Scale")


async def test_a_sign_in_that_is_declined_says_so_and_can_be_repeated(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    await visitor.go("/invoices")
    await visitor.link("Continue with %(provider)s", provider="Lumen").click()
    await visitor.page.get_by_role("button", name="Deny").click()
    await expect(visitor.main).to_contain_text("You did not finish signing in")
    await visitor.link("Try again").click()
    await visitor.sign_in("ada@example.com")
    await expect(visitor.heading).to_have_text("Your Lumen subscription, in one place.")


async def test_nobody_is_made_a_customer_by_signing_in(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    before = await visitor.shopfront.count_customers()
    await platform.introduce("nobody@example.com")
    await visitor.sign_in("nobody@example.com")
    await expect(visitor.main).to_contain_text("nobody@example.com")
    assert await visitor.shopfront.count_customers() == before
    await visitor.go("/")
    assert visitor.path == "/sign-in"


async def test_an_address_that_nobody_verified_opens_nothing(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    await platform.introduce("grace@example.org", email="grace@example.com", email_verified=False)
    await visitor.sign_in("grace@example.org")
    await expect(visitor.main).to_contain_text("has not confirmed your email address")
    await visitor.go("/")
    assert visitor.path == "/sign-in"


async def test_a_host_without_a_portal_says_so(platform: Platform, visit: OpenVisitor) -> None:
    visitor = await visit("lumen")
    answer = await visitor.page.goto(f"http://nobody.{platform.settings.base_domain}/")
    assert answer
    assert answer.status == 404
    await expect(visitor.main).to_contain_text("There is no portal at this address")


async def test_a_suspended_portal_says_so_and_comes_back(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("volta")
    environ = platform.environ()
    assert run_guichet("tenant", "suspend", "volta", environ=environ).returncode == 0
    try:
        await _until(visitor, "This portal is closed")
    finally:
        assert run_guichet("tenant", "resume", "volta", environ=environ).returncode == 0
    await _until(visitor, "Power, on your terms.")


async def _until(visitor: Visitor, heading: str) -> None:
    """Reload until a change of the directory has come to the web process."""
    for _ in range(20):
        await visitor.go("/sign-in")
        if heading in (await visitor.heading.text_content() or ""):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"never shown: {heading}")


async def _tab_to(page: Page, label: str) -> None:
    """Press Tab until the element with this text or name has the focus, and can be seen to."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        focus = await page.evaluate(
            """() => {
              const it = document.activeElement;
              const text = it.labels?.length ? it.labels[0].innerText : it.innerText;
              const card = it.closest('.option') ?? it;
              const seen = [it, card].map((each) => getComputedStyle(each));
              return {
                text: text ?? '',
                outlined: seen.some((each) => each.outlineStyle !== 'none'
                  && parseFloat(each.outlineWidth) >= 2),
              };
            }"""
        )
        if focus["text"].strip().lower().startswith(label.lower()):
            assert focus["outlined"], f"the focus on {label} cannot be seen"
            return
    raise AssertionError(f"Tab never comes to {label}")


@pytest.mark.parametrize("slug", ["lumen", "volta"])
async def test_the_main_job_needs_no_mouse(
    platform: Platform, visit: OpenVisitor, slug: str
) -> None:
    small, large = {"lumen": ("Starter", "Team"), "volta": ("Spark", "Current")}[slug]
    shopfront = platform.shopfronts[slug]
    buyer = await shopfront.new_buyer(small.lower())
    visitor = await visit(slug)
    page, keyboard = visitor.page, visitor.page.keyboard
    await visitor.go("/sign-in")
    await _tab_to(page, "Continue with")
    await keyboard.press("Enter")
    await page.get_by_placeholder("sub", exact=True).fill(buyer.email)
    await keyboard.press("Enter")
    await expect(visitor.heading).to_have_text(shopfront.merchant.branding.headline["en"])
    await _tab_to(page, "Change plan")
    await keyboard.press("Enter")
    await expect(visitor.heading).to_have_text("Choose a plan")
    await _tab_to(page, small)
    await keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name=re.compile(large)).first).to_be_checked()
    await _tab_to(page, "Continue to review")
    await keyboard.press("Space")
    await expect(visitor.heading).to_have_text("Review your change")
    await _tab_to(page, "Confirm and pay")
    await keyboard.press("Space")
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await _tab_to(page, "Back to my subscriptions")
    await keyboard.press("Enter")
    await expect(visitor.heading).to_have_text(shopfront.merchant.branding.headline["en"])
    await _tab_to(page, "Cancel subscription")
    await keyboard.press("Enter")
    await expect(visitor.heading).to_have_text(f"Cancel {large}?")
    await _tab_to(page, "Cancel subscription")
    await keyboard.press("Enter")
    await expect(visitor.heading).to_have_text("Your subscription will end")
    await _tab_to(page, "Sign out")
    await keyboard.press("Enter")
    await page.wait_for_url("**/sign-in")
    assert await shopfront.changes(buyer) == ["done", "done"]
