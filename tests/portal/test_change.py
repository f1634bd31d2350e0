"""Changing a plan through the portal's pages, against the real sandbox."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from guichet.billing.resuming import resume_unfinished
from tests.databases import DatabaseUrls
from tests.portal.shop import Customer, Shop, hidden_fields


async def review(browser: Customer, subscription_id: str, price: str, quantity: int = 1) -> str:
    """Choose a plan and answer the page that shows its amount."""
    shown = await browser.get(
        f"/subscriptions/{subscription_id}/change/review?price={price}&quantity={quantity}"
    )
    assert shown.status_code == 200, shown.text
    return shown.text


async def charges(shop: Shop, customer_id: str) -> list[int]:
    """The amounts of the customer's paid invoices, newest first."""
    invoices = await shop.stripe.v1.invoices.list_async(
        {"customer": customer_id, "status": "paid", "limit": 100}
    )
    return [invoice.amount_paid for invoice in invoices.data]


async def price_of(shop: Shop, who: str) -> str:
    return str((await shop.subscription(who)).to_dict()["items"]["data"][0]["price"]["id"])


async def test_an_upgrade_charges_exactly_what_was_shown(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        before = await charges(shop, ada.customer_id)
        page = await review(ada, subscription.id, shop.prices["scale"])
        fields = hidden_fields(page)
        assert int(fields["due_now"]) > 0
        result = await ada.follow(f"/subscriptions/{subscription.id}/change", fields)
        assert "Your plan is changed" in result.text
        assert await price_of(shop, "ada") == shop.prices["scale"]
        after = await charges(shop, ada.customer_id)
        assert after == [int(fields["due_now"]), *before]
        home = await ada.get("/")
        assert "Scale" in home.text


async def test_a_double_click_makes_one_change_and_both_answers_say_so(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        before = await charges(shop, ada.customer_id)
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        path = f"/subscriptions/{subscription.id}/change"
        answers = await asyncio.gather(*(ada.post(path, fields) for _ in range(5)))
        places = {answer.headers.get("location") for answer in answers}
        assert len(places) == 1, [answer.status_code for answer in answers]
        result = await ada.get(str(places.pop()))
        assert "Your plan is changed" in result.text
        assert len(await charges(shop, ada.customer_id)) == len(before) + 1


async def test_going_back_and_confirming_again_shows_the_first_outcome(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        path = f"/subscriptions/{subscription.id}/change"
        first = await ada.post(path, fields)
        paid = await charges(shop, ada.customer_id)
        second = await ada.post(path, fields)
        assert second.headers["location"] == first.headers["location"]
        assert await charges(shop, ada.customer_id) == paid


async def test_a_second_tab_learns_that_the_change_was_made_already(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        tabs = [
            hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
            for _ in range(2)
        ]
        path = f"/subscriptions/{subscription.id}/change"
        await ada.follow(path, tabs[0])
        paid = await charges(shop, ada.customer_id)
        second = await ada.post(path, tabs[1])
        assert second.status_code == 409
        assert "You already have this plan" in second.text
        assert await charges(shop, ada.customer_id) == paid


async def test_two_tabs_at_the_same_moment_make_one_change(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        before = await charges(shop, ada.customer_id)
        tabs = [
            hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
            for _ in range(4)
        ]
        path = f"/subscriptions/{subscription.id}/change"
        answers = await asyncio.gather(*(ada.post(path, fields) for fields in tabs))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [303, 409, 409, 409]
        assert len(await charges(shop, ada.customer_id)) == len(before) + 1


async def test_a_downgrade_waits_for_the_end_of_the_period_and_can_be_undone(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        path = f"/subscriptions/{subscription.id}/change"
        await ada.follow(
            path, hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        )
        paid = await charges(shop, ada.customer_id)
        page = await review(ada, subscription.id, shop.prices["starter"])
        fields = hidden_fields(page)
        assert fields["due_now"] == "0"
        result = await ada.follow(path, fields)
        assert "Your change is planned" in result.text
        home = (await ada.get("/")).text
        assert "Starter" in home
        assert await charges(shop, ada.customer_id) == paid
        assert (await shop.subscription("ada")).schedule
        undone = await ada.follow(f"{path}/undo", {"csrf": fields["csrf"]})
        assert "You keep your current plan" in undone.text
        assert (await shop.subscription("ada")).schedule is None
        assert await price_of(shop, "ada") == shop.prices["scale"]


async def test_a_change_that_cannot_be_written_down_as_done_still_leads_to_its_outcome(
    shop: Shop, database_urls: DatabaseUrls
) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        before = await charges(shop, ada.customer_id)
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        await owner.execute("revoke update on change_requests from guichet_app")
        answer = await ada.post(f"/subscriptions/{subscription.id}/change", fields)
        await owner.execute("grant update on change_requests to guichet_app")
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(f"/changes/{fields['token']}")
        deployment = shop.deployment
        async with deployment.db.unit(shop.tenant_id) as unit:
            await unit.execute(
                "update change_requests set claimed_until = now() where tenant_id = $1",
                shop.tenant_id,
            )
        now = datetime.now(UTC)
        settled = await resume_unfinished(deployment.db, deployment.providers, shop.tenant_id, now)
        assert settled == 1
        assert "Your plan is changed" in (await ada.get(answer.headers["location"])).text
        assert len(await charges(shop, ada.customer_id)) == len(before) + 1
    await owner.close()


async def test_a_refused_card_changes_nothing_and_says_why(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        method = await shop.stripe.v1.payment_methods.attach_async(
            "pm_card_chargeCustomerFail", {"customer": ada.customer_id}
        )
        await shop.stripe.v1.customers.update_async(
            ada.customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        paid = await charges(shop, ada.customer_id)
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        result = await ada.follow(f"/subscriptions/{subscription.id}/change", fields)
        assert "Your plan was not changed" in result.text
        assert "declined" in result.text
        assert await price_of(shop, "ada") == shop.prices["starter"]
        assert await charges(shop, ada.customer_id) == paid
        # Nothing is left unfinished: a new try is possible at once.
        again = await ada.get(f"/subscriptions/{subscription.id}/change")
        assert again.status_code == 200


async def test_an_amount_that_was_shown_too_long_ago_is_shown_again(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        paid = await charges(shop, ada.customer_id)
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        old = datetime.now(UTC) - timedelta(minutes=31)
        fields["as_of"] = str(int(old.timestamp()))
        shown = await ada.post(f"/subscriptions/{subscription.id}/change", fields)
        assert shown.status_code == 409
        assert "The amount has changed" in shown.text
        assert await charges(shop, ada.customer_id) == paid
        renewed = hidden_fields(shown.text)
        result = await ada.follow(f"/subscriptions/{subscription.id}/change", renewed)
        assert "Your plan is changed" in result.text


@pytest.mark.parametrize("shown", ["1", "999999", "-5"])
async def test_an_amount_that_was_never_shown_is_not_charged(shop: Shop, shown: str) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        answer = await ada.post(
            f"/subscriptions/{subscription.id}/change", fields | {"due_now": shown}
        )
        assert answer.status_code == 409
        assert await price_of(shop, "ada") == shop.prices["starter"]


async def test_a_form_without_its_token_changes_nothing(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        path = f"/subscriptions/{subscription.id}/change"
        assert (await ada.post(path, fields | {"csrf": "x"})).status_code == 403
        elsewhere = await ada.client.post(
            path, data=fields, headers={"origin": "http://volta.localhost:8000"}
        )
        assert elsewhere.status_code == 403
        assert await price_of(shop, "ada") == shop.prices["starter"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("token", "x"), ("as_of", "soon"), ("as_of", "9" * 30), ("due_now", ""), ("due_now", "1e3")],
)
async def test_a_form_that_we_never_made_is_refused(shop: Shop, field: str, value: str) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        answer = await ada.post(f"/subscriptions/{subscription.id}/change", fields | {field: value})
        assert answer.status_code in (409, 422)
        assert await price_of(shop, "ada") == shop.prices["starter"]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 422, "Please choose a plan"),
        ("price=price_nobody", 409, "not offered"),
        ("price={starter}", 409, "already have this plan"),
        ("price={team}&quantity=many", 422, "whole number"),
        ("price={team}&quantity=51", 409, "not offered"),
        ("price={team}&quantity=0", 409, "not offered"),
        ("price={team}&quantity=-1", 422, "whole number"),
    ],
)
async def test_a_choice_that_cannot_be_made_says_why_and_offers_the_plans_again(
    shop: Shop, query: str, status: int, words: str
) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        answer = await ada.get(
            f"/subscriptions/{subscription.id}/change/review?{query.format(**shop.prices)}"
        )
        assert answer.status_code == status
        assert words in answer.text
        assert 'type="radio"' in answer.text


async def test_a_past_due_customer_is_asked_to_pay_first(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        subscription = await shop.subscription("grace")
        answer = await grace.get(f"/subscriptions/{subscription.id}/change")
        assert answer.status_code == 409
        assert "A payment is overdue" in answer.text


async def test_the_change_and_its_audit_row_are_written_together(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        fields = hidden_fields(await review(ada, subscription.id, shop.prices["scale"]))
        await ada.follow(f"/subscriptions/{subscription.id}/change", fields)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object
            from audit_log
            where tenant_id = $1
            and action like 'subscription.%'
            """,
            shop.tenant_id,
        )
    assert [tuple(row) for row in rows] == [
        (ada.customer_id, "subscription.change_plan.done", subscription.id)
    ]


async def test_the_lines_shown_add_up_to_what_is_paid_now(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        subscription = await shop.subscription("ada")
        await shop.stripe.v1.customers.update_async(ada.customer_id, {"balance": -500})
        page = await review(ada, subscription.id, shop.prices["scale"])
        assert "Discounts, taxes and credit" in page
        figures = [
            int(figure.replace(".", "").replace("−", "-").replace("-$", "-").replace("$", ""))
            for figure in re.findall(r'<td class="figure">([^<]+)</td>', page)
        ]
        assert len(figures) == 3
        assert sum(figures) == int(hidden_fields(page)["due_now"])
