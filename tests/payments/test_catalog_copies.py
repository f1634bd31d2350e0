"""Prices, coupons and codes of every kind, copied whole."""

from decimal import Decimal
from typing import Any

from guichet.payments.copies import CouponCopy, CurrencyOptionCopy, PriceCopy, TierCopy
from tests.shops import Shop


async def _price(shop: Shop, **terms: Any) -> PriceCopy:
    parameters: Any = {
        "product": shop.product,
        "currency": "eur",
        "recurring": {"interval": "month"},
        **terms,
    }
    price = await shop.sdk.prices.create_async(parameters)
    fetched = await shop.port.fetch_price(price.id)
    listed = [copy async for copy in shop.port.list_prices() if copy.id == price.id]
    assert fetched is not None
    assert listed == [fetched]
    return fetched


async def test_a_price_per_unit_of_any_interval(shop: Shop) -> None:
    copy = await _price(
        shop,
        unit_amount=1900,
        recurring={"interval": "week", "interval_count": 6},
        nickname="Six weeks",
        lookup_key="six-weeks",
    )
    assert (copy.unit_amount, copy.unit_amount_exact) == (1900, Decimal(1900))
    assert (copy.interval, copy.interval_count, copy.usage) == ("week", 6, "licensed")
    assert (copy.nickname, copy.lookup_key) == ("Six weeks", "six-weeks")
    assert (copy.tiers_mode, copy.tiers, copy.package_size) == (None, (), None)
    assert copy.currency_options == ()


async def test_a_price_that_is_charged_once(shop: Shop) -> None:
    price = await shop.sdk.prices.create_async(
        {"product": shop.product, "currency": "eur", "unit_amount": 500}
    )
    copy = await shop.port.fetch_price(price.id)
    assert copy is not None
    assert (copy.interval, copy.interval_count, copy.usage) == (None, None, None)


async def test_a_price_finer_than_the_minor_unit(shop: Shop) -> None:
    copy = await _price(shop, unit_amount_decimal="0.125")
    assert (copy.unit_amount, copy.unit_amount_exact) == (None, Decimal("0.125"))


async def test_a_price_per_package(shop: Shop) -> None:
    package = {"divide_by": 10, "round": "up"}
    copy = await _price(shop, unit_amount=700, transform_quantity=package)
    assert (copy.package_size, copy.package_round) == (10, "up")


async def test_a_price_in_tiers(shop: Shop) -> None:
    for mode in ("graduated", "volume"):
        copy = await _price(
            shop,
            billing_scheme="tiered",
            tiers_mode=mode,
            tiers=[
                {"up_to": 5, "unit_amount": 1000, "flat_amount": 300},
                {"up_to": "inf", "unit_amount_decimal": "87.5"},
            ],
        )
        assert (copy.unit_amount, copy.unit_amount_exact, copy.tiers_mode) == (None, None, mode)
        assert copy.tiers == (
            TierCopy(up_to=5, unit_amount=Decimal(1000), flat_amount=Decimal(300)),
            TierCopy(up_to=None, unit_amount=Decimal("87.5"), flat_amount=None),
        )


async def test_a_price_in_several_currencies(shop: Shop) -> None:
    copy = await _price(
        shop,
        unit_amount=1000,
        currency_options={"usd": {"unit_amount": 1100}, "jpy": {"unit_amount_decimal": "1700"}},
    )
    assert copy.currency_options == (
        CurrencyOptionCopy(currency="jpy", unit_amount=Decimal(1700), tiers=()),
        CurrencyOptionCopy(currency="usd", unit_amount=Decimal(1100), tiers=()),
    )


async def test_tiers_in_several_currencies(shop: Shop) -> None:
    copy = await _price(
        shop,
        billing_scheme="tiered",
        tiers_mode="volume",
        tiers=[{"up_to": "inf", "unit_amount": 1000}],
        currency_options={"kwd": {"tiers": [{"up_to": "inf", "unit_amount": 3250}]}},
    )
    tier = TierCopy(up_to=None, unit_amount=Decimal(3250), flat_amount=None)
    assert copy.currency_options == (
        CurrencyOptionCopy(currency="kwd", unit_amount=None, tiers=(tier,)),
    )


async def test_a_code_with_its_coupon_and_who_may_use_it(shop: Shop) -> None:
    customer = await shop.add_customer()
    terms: Any = {
        "name": "Spring",
        "percent_off": 12.5,
        "duration": "repeating",
        "duration_in_months": 3,
        "applies_to": {"products": [shop.product]},
    }
    coupon = await shop.sdk.coupons.create_async(terms)
    restricted: Any = {
        "promotion": {"type": "coupon", "coupon": coupon.id},
        "code": "SPRING",
        "customer": customer,
        "restrictions": {
            "first_time_transaction": True,
            "minimum_amount": 2000,
            "minimum_amount_currency": "eur",
        },
    }
    code = await shop.sdk.promotion_codes.create_async(restricted)
    copy = await shop.port.find_promotion_code("spring", customer)
    assert copy is not None
    assert (copy.id, copy.code, copy.active) == (code.id, "SPRING", True)
    assert (copy.customer_id, copy.first_time_only) == (customer, True)
    assert (copy.minimum_amount, copy.minimum_currency) == (2000, "eur")
    assert copy.coupon == CouponCopy(
        id=coupon.id,
        name="Spring",
        percent_off=Decimal("12.5"),
        amount_off=None,
        currency=None,
        duration="repeating",
        duration_in_months=3,
        product_ids=(shop.product,),
        redeem_by_at=None,
        valid=True,
    )
    await shop.sdk.promotion_codes.update_async(code.id, {"active": False})
    assert await shop.port.find_promotion_code("SPRING", customer) is None


async def test_a_discount_at_work_tells_its_terms(shop: Shop) -> None:
    terms: Any = {"amount_off": 250, "currency": "eur", "duration": "once", "name": "Hello"}
    coupon = await shop.sdk.coupons.create_async(terms)
    subscription = await shop.subscribe(await shop.add_customer())
    await shop.sdk.subscriptions.update_async(
        subscription.id, {"discounts": [{"coupon": coupon.id}]}
    )
    copy = await shop.port.fetch_subscription(subscription.id)
    assert copy is not None
    (discount,) = copy.discounts
    assert (discount.coupon_id, discount.name) == (coupon.id, "Hello")
    assert (discount.amount_off, discount.currency, discount.percent_off) == (250, "eur", None)
    assert (discount.promotion_code_id, discount.ends_at) == (None, None)


async def test_a_product_tells_what_is_counted(shop: Shop) -> None:
    product = await shop.sdk.products.create_async(
        {
            "name": "Atelier",
            "unit_label": "seat",
            "default_price_data": {
                "currency": "eur",
                "unit_amount": 900,
                "recurring": {"interval": "month"},
            },
        }
    )
    copy = await shop.port.fetch_product(product.id)
    assert copy is not None
    assert (copy.name, copy.unit_label, copy.active) == ("Atelier", "seat", True)
    assert copy.default_price_id == product.default_price
