"""Invoices by hand: made, filled, changed, thrown away, sent, given up and found again."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop


async def _wait_for_invoice(shop: Shop, amount: int, **more: Any) -> stripe.InvoiceItem:
    params: Any = {"customer": shop.customer, "amount": amount, "currency": "usd", **more}
    return await shop.account.v1.invoice_items.create_async(params)


async def test_a_one_off_invoice_takes_what_waits_if_it_is_told_to(account: Account) -> None:
    shop = await open_shop(account)
    await _wait_for_invoice(shop, 700, description="Setup")
    await _wait_for_invoice(shop, 300)
    v1 = account.v1.invoices
    empty = await v1.create_async({"customer": shop.customer})
    assert (empty.total, empty.auto_advance, empty.status) == (0, False, "draft")
    full = await v1.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    assert (full.total, full.billing_reason) == (1_000, "manual")
    assert [line.description for line in full.lines.data] == ["Setup", None]
    waiting = await account.v1.invoice_items.list_async({"pending": True})
    assert waiting.data == []
    done = await v1.finalize_invoice_async(full.id)
    assert (done.status, done.amount_due) == ("open", 1_000)
    paid = await v1.pay_async(full.id)
    assert (paid.status, paid.amount_paid) == ("paid", 1_000)


async def test_an_item_joins_a_draft_by_price_and_leaves_it(account: Account) -> None:
    shop = await open_shop(account)
    draft = await account.v1.invoices.create_async({"customer": shop.customer})
    price = await account.v1.prices.create_async(
        {"product": shop.product, "currency": "usd", "unit_amount": 250}
    )
    item = await account.v1.invoice_items.create_async(
        {
            "customer": shop.customer,
            "invoice": draft.id,
            "pricing": {"price": price.id},
            "quantity": 3,
        }
    )
    shown = await account.v1.invoices.retrieve_async(draft.id)
    assert (shown.total, shown.lines.data[0].description) == (750, "Basic")
    assert (shown.lines.data[0].quantity, item.invoice) == (3, draft.id)
    await account.v1.invoice_items.delete_async(item.id)
    assert (await account.v1.invoices.retrieve_async(draft.id)).total == 0


async def test_an_item_is_changed_while_it_waits_only(account: Account) -> None:
    shop = await open_shop(account)
    item = await _wait_for_invoice(shop, 700)
    changed = await account.v1.invoice_items.update_async(
        item.id, {"amount": 900, "description": "More"}
    )
    assert (changed.amount, changed.description) == (900, "More")
    await account.v1.invoices.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    with pytest.raises(stripe.InvalidRequestError) as late:
        await account.v1.invoice_items.update_async(item.id, {"amount": 1})
    assert late.value.code == "invoice_not_editable"


async def test_a_draft_is_changed_and_a_finalized_invoice_hardly(account: Account) -> None:
    shop = await open_shop(account)
    await _wait_for_invoice(shop, 1_000)
    v1 = account.v1.invoices
    draft = await v1.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    coupon = await account.v1.coupons.create_async({"percent_off": 25, "duration": "once"})
    changed = await v1.update_async(
        draft.id,
        {
            "footer": "Thank you",
            "custom_fields": [{"name": "PO", "value": "9"}],
            "discounts": [{"coupon": coupon.id}],
            "collection_method": "send_invoice",
            "days_until_due": 14,
        },
    )
    assert (changed.total, changed.footer) == (750, "Thank you")
    assert changed.due_date == START + 14 * DAY
    await v1.finalize_invoice_async(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as late:
        await v1.update_async(draft.id, {"footer": "Too late"})
    assert (late.value.code, late.value.param) == ("invoice_not_editable", "footer")
    worded = await v1.update_async(draft.id, {"metadata": {"a": "b"}})
    assert worded.to_dict()["metadata"] == {"a": "b"}


async def test_a_deleted_draft_lets_its_items_wait_again(account: Account) -> None:
    shop = await open_shop(account)
    await _wait_for_invoice(shop, 1_000)
    v1 = account.v1.invoices
    draft = await v1.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    assert (await v1.delete_async(draft.id)).deleted
    assert len((await account.v1.invoice_items.list_async({"pending": True})).data) == 1
    again = await v1.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    await v1.finalize_invoice_async(again.id)
    with pytest.raises(stripe.InvalidRequestError) as late:
        await v1.delete_async(again.id)
    assert late.value.code == "invoice_not_editable"
    types = [event.type for event in (await account.v1.events.list_async()).data]
    assert "invoice.deleted" in types


async def test_a_subscriptions_draft_cannot_be_deleted(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 28 * DAY)
    draft = (await shop.invoices())[0]
    assert draft.status == "draft"
    with pytest.raises(stripe.InvalidRequestError):
        await account.v1.invoices.delete_async(draft.id)


async def test_a_sent_invoice_is_due_and_paid_elsewhere(account: Account) -> None:
    shop = await open_shop(account)
    await _wait_for_invoice(shop, 1_000)
    v1 = account.v1.invoices
    draft = await v1.create_async(
        {
            "customer": shop.customer,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "pending_invoice_items_behavior": "include",
        }
    )
    sent = await v1.send_invoice_async(draft.id)
    assert (sent.status, sent.due_date) == ("open", START + 30 * DAY)
    assert await account.charges() == []
    assert len((await account.v1.events.list_async({"type": "invoice.sent"})).data) == 1
    paid = await v1.pay_async(draft.id, {"paid_out_of_band": True})
    assert paid.status == "paid"
    assert await account.charges() == []


async def test_what_is_sent_needs_an_address(account: Account) -> None:
    customer = await account.v1.customers.create_async({"name": "Nobody"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await account.v1.invoices.create_async(
            {"customer": customer.id, "collection_method": "send_invoice", "days_until_due": 1}
        )
    assert str(refused.value.user_message).startswith("Missing email.")
    with pytest.raises(stripe.InvalidRequestError) as unsent:
        await account.v1.invoices.create_async({"customer": customer.id, "days_until_due": 1})
    assert unsent.value.param == "days_until_due"


async def test_a_draft_with_auto_advance_is_charged_after_an_hour(account: Account) -> None:
    shop = await open_shop(account)
    await _wait_for_invoice(shop, 1_000)
    draft = await account.v1.invoices.create_async(
        {
            "customer": shop.customer,
            "auto_advance": True,
            "pending_invoice_items_behavior": "include",
        }
    )
    assert draft.automatically_finalizes_at == START + 3_600
    await shop.advance(START + 3_601)
    assert (await account.v1.invoices.retrieve_async(draft.id)).status == "paid"


async def test_invoices_are_void_or_uncollectible_once(account: Account) -> None:
    shop = await open_shop(account)
    v1 = account.v1.invoices
    await _wait_for_invoice(shop, 500)
    draft = await v1.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    with pytest.raises(stripe.InvalidRequestError):
        await v1.void_invoice_async(draft.id)
    await v1.finalize_invoice_async(draft.id)
    given_up = await v1.mark_uncollectible_async(draft.id)
    assert given_up.status == "uncollectible"
    voided = await v1.void_invoice_async(draft.id)
    assert (voided.status, voided.amount_remaining) == ("void", 0)
    with pytest.raises(stripe.InvalidRequestError) as late:
        await v1.pay_async(draft.id)
    assert late.value.code == "invoice_not_editable"


async def test_invoices_are_found_by_every_filter(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await _wait_for_invoice(shop, 500)
    v1 = account.v1.invoices
    sent = await v1.create_async(
        {
            "customer": shop.customer,
            "collection_method": "send_invoice",
            "due_date": START + 5 * DAY,
            "pending_invoice_items_behavior": "include",
        }
    )
    first = str(subscription.latest_invoice)
    both = {sent.id, first}
    filters: list[tuple[Any, set[str]]] = [
        ({"customer": shop.customer}, both),
        ({"customer": "cus_other"}, set()),
        ({"subscription": subscription.id}, {first}),
        ({"status": "draft"}, {sent.id}),
        ({"status": "paid"}, {first}),
        ({"collection_method": "send_invoice"}, {sent.id}),
        ({"due_date": {"gte": START + 5 * DAY}}, {sent.id}),
        ({"due_date": {"lt": START + 5 * DAY, "gt": 0}}, set()),
        ({"created": {"gte": START}}, both),
        ({"created": {"gt": START}}, set()),
        ({"customer": shop.customer, "status": "paid", "created": START}, {first}),
    ]
    for params, expected in filters:
        found = {invoice.id for invoice in (await v1.list_async(params)).data}
        assert found == expected, params


async def test_lines_are_listed_a_page_at_a_time(account: Account) -> None:
    shop = await open_shop(account)
    for number in range(12):
        await _wait_for_invoice(shop, 100 + number)
    invoice = await account.v1.invoices.create_async(
        {"customer": shop.customer, "pending_invoice_items_behavior": "include"}
    )
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    lines = account.v1.invoices.line_items
    first = await lines.list_async(invoice.id, {"limit": 5})
    assert [line.amount for line in first.data] == [100, 101, 102, 103, 104]
    second = await lines.list_async(invoice.id, {"limit": 5, "starting_after": first.data[-1].id})
    assert ([line.amount for line in second.data], second.has_more) == (
        [105, 106, 107, 108, 109], True,
    )  # fmt: skip
    back = await lines.list_async(invoice.id, {"limit": 2, "ending_before": second.data[0].id})
    assert ([line.amount for line in back.data], back.has_more) == ([103, 104], True)
