"""Coupons and promotion codes: what they take off, of what, and who may redeem them."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop


async def _code(account: Account, **params: Any) -> stripe.PromotionCode:
    coupon = await account.v1.coupons.create_async({"percent_off": 50, "duration": "once"})
    asked: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, **params}
    return await account.v1.promotion_codes.create_async(asked)


async def _refused(shop: Shop, amount: int, **discount: str) -> stripe.InvalidRequestError:
    price = await shop.price(amount)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.subscribe(price, discounts=[discount])
    assert await shop.account.charges() == []
    return refused.value


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": "10", "amount_off": "10", "currency": "usd"}, "percent_off"),
        ({"percent_off": "101"}, "percent_off"),
        ({"percent_off": "0"}, "percent_off"),
        ({"amount_off": "100"}, "currency"),
        ({"amount_off": "-1", "currency": "usd"}, "amount_off"),
        ({"percent_off": "10", "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": "10", "duration_in_months": "3"}, "duration_in_months"),
        ({"percent_off": "10", "duration": "sometimes"}, "duration"),
        ({"percent_off": "10", "redeem_by": "1"}, "redeem_by"),
        ({"percent_off": "10", "applies_to[products][0]": "prod_none"}, "applies_to[products][0]"),
    ],
)
async def test_a_coupon_that_makes_no_sense_is_refused(
    account: Account, params: dict[str, str], param: str
) -> None:
    answer = await account.http.post("/v1/coupons", data=params)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_coupon_applies_to_its_products_only(account: Account) -> None:
    shop = await open_shop(account)
    other = await account.v1.products.create_async({"name": "Add-on"})
    addon = await account.v1.prices.create_async(
        {
            "product": other.id,
            "currency": "usd",
            "unit_amount": 500,
            "recurring": {"interval": "month"},
        }
    )
    coupon = await account.v1.coupons.create_async(
        {"percent_off": 50, "duration": "forever", "applies_to": {"products": [other.id]}}
    )
    assert "applies_to" not in coupon.to_dict()
    shown = await account.v1.coupons.retrieve_async(coupon.id, {"expand": ["applies_to"]})
    assert shown.applies_to
    assert shown.applies_to.products == [other.id]
    await account.v1.subscriptions.create_async(
        {
            "customer": shop.customer,
            "items": [{"price": await shop.price(1_000)}, {"price": addon.id}],
            "discounts": [{"coupon": coupon.id}],
        }
    )
    (invoice,) = await shop.invoices()
    assert (invoice.subtotal, invoice.total) == (1_500, 1_250)


async def test_an_amount_off_has_an_amount_in_each_currency(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async(
        {
            "amount_off": 300,
            "currency": "usd",
            "duration": "once",
            "currency_options": {"eur": {"amount_off": 200}},
        }
    )
    await shop.subscribe(await shop.price(1_000, currency="eur"), discounts=[{"coupon": coupon.id}])
    (invoice,) = await shop.invoices()
    assert (invoice.currency, invoice.total) == ("eur", 800)
    shop = await open_shop(account)
    error = await _refused_without_charges(shop, coupon.id)
    assert error.param == "discounts[0][coupon]"


async def _refused_without_charges(shop: Shop, coupon: str) -> stripe.InvalidRequestError:
    price = await shop.price(1_000, currency="gbp")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.subscribe(price, discounts=[{"coupon": coupon}])
    return refused.value


async def test_a_coupon_is_used_up_and_expires(account: Account) -> None:
    shop = await open_shop(account)
    once = await account.v1.coupons.create_async(
        {"percent_off": 10, "duration": "once", "max_redemptions": 1, "id": "ONE"}
    )
    other = await open_shop(account)
    await other.subscribe(await other.price(1_000, currency="usd"), discounts=[{"coupon": once.id}])
    used = await account.v1.coupons.retrieve_async("ONE")
    assert (used.times_redeemed, used.valid) == (1, False)
    price = await shop.price(1_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.subscribe(price, discounts=[{"coupon": once.id}])
    assert refused.value.user_message == "Coupon ONE is used up and cannot be applied."
    assert refused.value.param == "discounts[0][coupon]"
    with pytest.raises(stripe.InvalidRequestError) as again:
        await account.v1.coupons.create_async({"percent_off": 10, "id": "ONE"})
    assert again.value.code == "resource_already_exists"
    until = await account.v1.coupons.create_async(
        {"percent_off": 10, "duration": "once", "redeem_by": 4_000_000_000}
    )
    future = await open_shop(account, start=4_000_000_001)
    late = await _refused_late(future, until.id)
    assert (late.code, late.user_message) == ("coupon_expired", f"Coupon expired: {until.id}")


async def _refused_late(shop: Shop, coupon: str) -> stripe.InvalidRequestError:
    price = await shop.price(1_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.subscribe(price, discounts=[{"coupon": coupon}])
    return refused.value


async def test_a_promotion_code_is_found_by_what_customers_type(account: Account) -> None:
    code = await _code(account, code="Spring-26")
    codes = account.v1.promotion_codes
    assert code.code == "SPRING-26"
    found = await codes.list_async({"code": "spring-26", "active": True})
    assert [each.id for each in found.data] == [code.id]
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await _code(account, code="SPRING-26")
    assert twice.value.param == "code"
    await codes.update_async(code.id, {"active": False})
    assert (await codes.list_async({"code": "SPRING-26", "active": True})).data == []
    assert len((await codes.list_async({"code": "SPRING-26", "active": False})).data) == 1
    again = await _code(account, code="SPRING-26")
    with pytest.raises(stripe.InvalidRequestError):
        await codes.update_async(code.id, {"active": True})
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000), discounts=[{"promotion_code": again.id}])
    (invoice,) = await shop.invoices()
    assert invoice.total == 500
    assert (await codes.retrieve_async(again.id)).times_redeemed == 1


async def test_a_first_time_code_is_not_for_customers_who_have_bought(account: Account) -> None:
    shop = await open_shop(account)
    code = await _code(account, restrictions={"first_time_transaction": True})
    await shop.subscribe(await shop.price(1_000), discounts=[{"promotion_code": code.id}])
    price = await shop.price(2_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.subscribe(price, discounts=[{"promotion_code": code.id}])
    assert refused.value.user_message == (
        "This promotion code cannot be redeemed because the associated customer has prior "
        "transactions."
    )
    assert refused.value.param == "discounts[0][promotion_code]"


async def test_a_code_asks_for_a_minimum_amount(account: Account) -> None:
    shop = await open_shop(account)
    code = await _code(
        account, restrictions={"minimum_amount": 2_000, "minimum_amount_currency": "usd"}
    )
    error = await _refused(shop, 1_999, promotion_code=code.id)
    assert "minimum amount of $20.00" in str(error.user_message)
    await shop.subscribe(await shop.price(2_000), discounts=[{"promotion_code": code.id}])
    (invoice,) = await shop.invoices()
    assert invoice.total == 1_000


async def test_a_code_is_for_its_customer_until_it_expires(account: Account) -> None:
    shop = await open_shop(account)
    stranger = await account.v1.customers.create_async()
    code = await _code(account, customer=stranger.id)
    assert (await _refused(shop, 1_000, promotion_code=code.id)).http_status == 400
    mine = await _code(account, customer=shop.customer, expires_at=START + DAY)
    await shop.advance(START + 2 * DAY)
    error = await _refused(shop, 1_000, promotion_code=mine.id)
    assert error.user_message == "This promotion code is inactive or has expired."


async def test_a_used_up_code_is_inactive(account: Account) -> None:
    shop = await open_shop(account)
    code = await _code(account, max_redemptions=1)
    await shop.subscribe(await shop.price(1_000), discounts=[{"promotion_code": code.id}])
    used = await account.v1.promotion_codes.retrieve_async(code.id)
    assert (used.active, used.times_redeemed) == (False, 1)


async def test_a_discount_tells_when_it_comes_and_goes(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    subscription = await shop.subscribe(await shop.price(1_000), discounts=[{"coupon": coupon.id}])
    names = ("customer.discount.created", "customer.discount.deleted")
    assert [event.type for event in await shop.events(*names)] == [names[0]]
    await account.v1.subscriptions.update_async(subscription.id, {"discounts": ""})
    assert [event.type for event in await shop.events(*names)] == list(names)
