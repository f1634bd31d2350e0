"""What the provider holds, as copies of ours; and its failures, as errors of ours."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from guichet.payments.copies import Copy
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.stripe.adapter import Stripe, Transport
from tests.shops import Shop


async def test_a_deleted_customer_is_there_and_says_so(shop: Shop) -> None:
    customer = await shop.add_customer()
    await shop.sdk.customers.delete_async(customer)
    copy = await shop.port.fetch_customer(customer)
    assert copy is not None
    assert copy.deleted
    assert copy.email is None


async def test_what_is_not_there_is_none(shop: Shop) -> None:
    assert await shop.port.fetch_customer("cus_none") is None
    assert await shop.port.fetch_invoice("in_none") is None
    assert await shop.port.fetch_payment_method("pm_none") is None
    assert await shop.port.fetch_price("price_none") is None
    assert await shop.port.fetch_product("prod_none") is None
    assert await shop.port.fetch_subscription("sub_none") is None
    assert await shop.port.invoice_links("in_none") is None


async def test_a_card_is_known_by_what_may_be_shown_of_it(shop: Shop) -> None:
    customer = await shop.add_customer(card="pm_card_mastercard")
    [card] = [method async for method in shop.port.list_payment_methods(customer)]
    assert (card.type, card.brand, card.last4) == ("card", "mastercard", "4444")
    await shop.sdk.payment_methods.detach_async(card.id)
    detached = await shop.port.fetch_payment_method(card.id)
    assert detached is not None
    assert detached.customer_id is None


async def test_a_price_finer_than_the_minor_unit_has_no_amount(shop: Shop) -> None:
    price = await shop.sdk.prices.create_async(
        {
            "product": shop.product,
            "unit_amount_decimal": "0.5",  # type: ignore[typeddict-item]
            "currency": "eur",
            "recurring": {"interval": "month"},
        }
    )
    copy = await shop.port.fetch_price(price.id)
    assert copy is not None
    assert copy.unit_amount is None


async def test_lists_go_on_over_all_their_pages(shop: Shop) -> None:
    made = {await shop.add_price(amount, "month") for amount in range(100, 205)}
    listed = [price.id async for price in shop.port.list_prices()]
    assert len(listed) == len(set(listed)) == len(made) + 3
    assert made < set(listed)


async def test_lists_begin_after_an_object(shop: Shop) -> None:
    customers = [await shop.add_customer(f"{name}@example.com") for name in ("ada", "grace")]
    for customer in customers:
        await shop.subscribe(customer)
    lists: list[Callable[..., AsyncIterator[Copy]]] = [
        shop.port.list_customers,
        shop.port.list_prices,
        shop.port.list_subscriptions,
        shop.port.list_invoices,
        shop.port.list_attempts,
    ]
    for listed in lists:
        newest, *older = [each.id async for each in listed()]
        assert len(older) >= 1
        assert [each.id async for each in listed(newest)] == older
        assert [each.id async for each in listed(older[-1])] == []
    assert [each.id async for each in shop.port.list_products(shop.product)] == []


async def test_a_promotion_code_is_found_however_it_is_written(shop: Shop) -> None:
    coupon = await shop.sdk.coupons.create_async(
        {
            "percent_off": 12.5,
            "duration": "repeating",
            "duration_in_months": 3,
            "name": "Spring",
            "applies_to": {"products": [shop.product]},
        }
    )
    made = await shop.sdk.promotion_codes.create_async(
        {
            "promotion": {"type": "coupon", "coupon": coupon.id},
            "code": "SPRING",
            "restrictions": {
                "first_time_transaction": True,
                "minimum_amount": 1000,
                "minimum_amount_currency": "eur",
            },
        }
    )
    found = await shop.port.find_promotion_code("spring")
    assert found is not None
    assert (found.id, found.code, found.active) == (made.id, "SPRING", True)
    assert (found.coupon.id, found.coupon.percent_off) == (coupon.id, Decimal("12.5"))
    assert (found.coupon.duration, found.coupon.duration_in_months) == ("repeating", 3)
    assert found.coupon.product_ids == (shop.product,)
    assert (found.first_time_only, found.minimum_amount) == (True, 1000)
    assert found.minimum_currency == "eur"
    for other in ("AUTUMN", "SPRIN", ""):
        assert await shop.port.find_promotion_code(other) is None
    await shop.sdk.promotion_codes.update_async(made.id, {"active": False})
    assert await shop.port.find_promotion_code("SPRING") is None


async def test_a_promotion_code_for_one_customer_is_found_by_nobody_else(shop: Shop) -> None:
    ada = await shop.add_customer()
    coupon = await shop.sdk.coupons.create_async({"percent_off": 10, "duration": "once"})
    made = await shop.sdk.promotion_codes.create_async(
        {
            "promotion": {"type": "coupon", "coupon": coupon.id},
            "code": "THANKS",
            "customer": ada,
        }
    )
    found = await shop.port.find_promotion_code("thanks", ada)
    assert found is not None
    assert (found.id, found.customer_id) == (made.id, ada)
    assert await shop.port.find_promotion_code("thanks", "cus_other") is None
    assert await shop.port.find_promotion_code("thanks") is None


async def test_cancelled_subscriptions_are_listed_too(shop: Shop) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    await shop.sdk.subscriptions.cancel_async(subscription.id)
    [copy] = [each async for each in shop.port.list_subscriptions()]
    assert copy.status == "canceled"
    assert copy.ended_at is not None


async def test_events_are_listed_as_they_would_be_delivered(shop: Shop) -> None:
    customer = await shop.add_customer()
    now = datetime.now(UTC)
    events = [each async for each in shop.port.list_events(now - timedelta(minutes=5))]
    created = next(each for each in events if each.type == "customer.created")
    assert created.object_id == customer
    body = msgspec.json.decode(created.body)
    assert (body["id"], body["data"]["object"]["id"]) == (created.id, customer)
    assert [each async for each in shop.port.list_events(now + timedelta(hours=1))] == []


async def test_an_invoice_links_to_its_page_its_pdf_and_its_receipt(shop: Shop) -> None:
    await shop.subscribe(await shop.add_customer())
    [invoice] = [each async for each in shop.port.list_invoices()]
    links = await shop.port.invoice_links(invoice.id)
    assert links is not None
    assert links.hosted_url
    assert links.pdf_url
    assert links.receipt_url


async def test_customers_are_found_by_their_address(shop: Shop) -> None:
    ada = await shop.add_customer("ada@example.com")
    await shop.add_customer("grace@example.com")
    assert [each.id for each in await shop.port.find_customers("ada@example.com")] == [ada]


async def test_a_revoked_key_is_rejected(shop: Shop) -> None:
    await shop.set(revoked=True)
    with pytest.raises(ProviderKeyRejected):
        await shop.port.account()


async def test_a_single_failure_is_tried_again_at_once(shop: Shop) -> None:
    await shop.set(fail_next_requests=[{"mode": "refused", "count": 1}])
    assert (await shop.port.account()).id


def test_a_client_does_not_show_its_key() -> None:
    key = "sk_test_planted"
    assert key not in repr(Stripe(key, "http://127.0.0.1:1", Transport()))
