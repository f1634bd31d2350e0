"""What the console hands to a portal: good once, for a minute, from its page, at one merchant."""

import pytest

from guichet.demo.merchants import MARMITE
from tests.portal.looking import CONSOLE, COOKIE, age_views, hire, take_over
from tests.portal.shop import Shop, add_shop


async def test_what_is_handed_over_is_good_once(shop: Shop) -> None:
    helper = await hire(shop)
    token = await helper.hand_over()
    async with shop.visitor() as first, shop.visitor() as second:
        await take_over(first, token)
        again = await second.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert again.status_code == 403
        assert COOKIE not in second.client.cookies
        assert (await first.get("/")).status_code == 200


@pytest.mark.parametrize("origin", ["http://lumen.localhost:8000", "https://evil.example", "null"])
async def test_only_the_consoles_page_hands_over(shop: Shop, origin: str) -> None:
    token = await (await hire(shop)).hand_over()
    async with shop.visitor() as browser:
        answer = await browser.client.post(
            "/support-view", data={"token": token}, headers={"origin": origin}
        )
        assert answer.status_code == 403
        bare = await browser.client.post("/support-view", data={"token": token})
        assert bare.status_code == 403
        looked = await browser.client.get(f"/support-view?token={token}")
        assert looked.status_code == 405
        await take_over(browser, token)


async def test_what_is_handed_over_is_good_for_a_minute(shop: Shop) -> None:
    token = await (await hire(shop)).hand_over()
    await age_views(shop, "61 seconds")
    async with shop.visitor() as browser:
        late = await browser.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert late.status_code == 403


async def test_nothing_that_is_kept_opens_anything(shop: Shop) -> None:
    token = await (await hire(shop)).hand_over()
    async with shop.visitor() as browser:
        await take_over(browser, token)
        cookie = browser.client.cookies[COOKIE]
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        held = await unit.fetchval(
            """
            select string_agg(held::text, ' ')
            from (
              select support_views::text from support_views where tenant_id = $1
              union all
              select audit_log::text from audit_log where tenant_id = $1
            ) as held
            """,
            shop.tenant_id,
        )
    assert token not in held
    assert cookie not in held


async def test_a_view_of_one_merchant_is_worth_nothing_at_another(shop: Shop) -> None:
    other = await add_shop(shop.edge, shop.deployment, MARMITE)
    helper = await hire(shop)
    token = await helper.hand_over()
    async with other.visitor() as stranger:
        answer = await stranger.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert answer.status_code == 403
        async with helper.looking("ada") as browser:
            cookie = browser.client.cookies[COOKIE]
        stranger.client.cookies.set(COOKIE, cookie)
        assert (await stranger.get("/")).status_code == 410
