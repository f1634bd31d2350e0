"""Cancelling as the merchant has set it: when, the reasons, the comment, and what is told of it."""

import re
from html import unescape

import msgspec
import pytest

from guichet.portal.cancel_form import LONGEST_COMMENT
from tenants.cancelling import CancelRules, OwnReason
from tests.portal.shop import Customer, Shop, hidden_fields

MOVING = OwnReason({"en": "I am moving away", "fr": "Je déménage"})


async def _asked(customer: Customer, subscription_id: str) -> tuple[str, dict[str, str], str]:
    path = f"/subscriptions/{subscription_id}/cancel"
    page = (await customer.get(path)).text
    return path, hidden_fields(page), unescape(page)


async def _told(shop: Shop) -> dict[str, object]:
    """What the audit log says of the cancellation."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        details = await unit.fetchval(
            """
            select details::text
            from audit_log
            where tenant_id = $1
            and action = 'subscription.cancel.done'
            """,
            shop.tenant_id,
        )
    told: dict[str, object] = msgspec.json.decode(details)["cancellation"]
    return told


async def test_what_ends_at_once_says_so_and_ends_at_once(shop: Shop) -> None:
    await shop.republish(cancel=CancelRules(when="now"))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, page = await _asked(ada, held.id)
        assert "It ends at once" in page
        assert "is not given back" in page
        assert "This cannot be undone" in page
        result = await ada.follow(path, fields)
        assert "Your subscription has ended" in result.text
        ended = await shop.subscription("ada")
        assert ended.status == "canceled"
        home = (await ada.get("/")).text
        assert f"/subscriptions/{held.id}/keep" not in home
    assert (await _told(shop))["when"] == "now"


async def test_who_owes_a_payment_and_cancels_at_once_is_told_so_by_mail(shop: Shop) -> None:
    """The case of the failed payment tells of an end that nobody asked for, and of no other."""
    await shop.republish(cancel=CancelRules(when="now"))
    held = await shop.subscription("ada")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            insert into dunning_cases (
              tenant_id, invoice_id, customer_id, subscription_id, state, opened_at, wake_at
            )
            select tenant_id, latest_invoice_id, customer_id, id, 'waiting', now(), 'infinity'
            from subscriptions
            where tenant_id = $1
            and id = $2
            """,
            shop.tenant_id,
            held.id,
        )
    async with shop.signed_in("ada") as ada:
        path, fields, _ = await _asked(ada, held.id)
        await ada.follow(path, fields)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select kind
            from messages
            where tenant_id = $1
            and facts ->> 'subscription_id' = $2
            """,
            shop.tenant_id,
            held.id,
        )
    assert [row["kind"] for row in rows] == ["cancelled"]


async def test_what_is_not_used_is_given_back_where_the_merchant_says_so(shop: Shop) -> None:
    await shop.republish(cancel=CancelRules(when="now", proration="create_prorations"))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, page = await _asked(ada, held.id)
        assert "is kept as credit" in page
        await ada.follow(path, fields)
    customer = await shop.stripe.v1.customers.retrieve_async(await shop.customer_id("ada"))
    assert (customer.balance or 0) < 0


@pytest.mark.parametrize("when", ["period_end", "now"])
async def test_the_customer_chooses_when_it_ends(shop: Shop, when: str) -> None:
    await shop.republish(cancel=CancelRules(when="choice"))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, _ = await _asked(ada, held.id)
        unsaid = await ada.post(path, fields)
        assert unsaid.status_code == 422
        assert "Please choose when it ends" in unsaid.text
        await ada.follow(path, {**fields, "when": when})
    ended = await shop.subscription("ada")
    assert (ended.status == "canceled") == (when == "now")
    assert ended.cancel_at_period_end == (when == "period_end")


async def test_a_reason_and_a_comment_reach_the_provider_and_the_audit_log(shop: Shop) -> None:
    await shop.republish(cancel=CancelRules(reasons="optional", comment="optional"))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, page = await _asked(ada, held.id)
        assert len(re.findall(r'name="reason"', page)) == 8
        await ada.follow(path, {**fields, "reason": "too_expensive", "comment": " <b>Adieu</b> "})
    why = (await shop.subscription("ada")).cancellation_details
    assert why is not None
    assert (why.feedback, why.comment) == ("too_expensive", "<b>Adieu</b>")
    told = await _told(shop)
    assert (told["feedback"], told["comment"]) == ("too_expensive", "<b>Adieu</b>")


async def test_a_reason_of_the_merchants_own_is_told_in_the_portals_language(shop: Shop) -> None:
    rules = CancelRules(
        reasons="required",
        standard_reasons=("unused",),
        own_reasons=(MOVING,),
        comment="optional",
    )
    await shop.republish(cancel=rules)
    async with shop.signed_in("ada") as ada:
        ada.client.headers["accept-language"] = "fr"
        held = await shop.subscription("ada")
        path, fields, page = await _asked(ada, held.id)
        assert "Je déménage" in page
        assert 'value="too_expensive"' not in page
        unsaid = await ada.post(path, {**fields, "comment": "à bientôt"})
        assert unsaid.status_code == 422
        assert "à bientôt" in unsaid.text
        hidden = await ada.post(path, {**fields, "reason": "too_expensive"})
        assert hidden.status_code == 422
        await ada.follow(path, {**fields, "reason": MOVING.key, "comment": "à bientôt"})
    why = (await shop.subscription("ada")).cancellation_details
    assert why is not None
    assert (why.feedback, why.comment) == ("other", "I am moving away – à bientôt")


async def test_nobody_has_to_say_why_where_it_is_not_required(shop: Shop) -> None:
    await shop.republish(cancel=CancelRules(reasons="optional", comment="optional"))
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, _ = await _asked(ada, held.id)
        too_long = await ada.post(path, {**fields, "comment": "x" * (LONGEST_COMMENT + 1)})
        assert too_long.status_code == 422
        assert "Your subscription will end" in (await ada.follow(path, fields)).text


async def test_other_rules_than_those_that_were_shown_are_shown_before_they_are_applied(
    shop: Shop,
) -> None:
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        path, fields, _ = await _asked(ada, held.id)
        await shop.republish(cancel=CancelRules(when="now"))
        answer = await ada.post(path, fields)
        assert answer.status_code == 409
        assert "check it once more" in answer.text
        assert "It ends at once" in answer.text
        assert (await shop.subscription("ada")).status == "active"
        assert "has ended" in (await ada.follow(path, hidden_fields(answer.text))).text
