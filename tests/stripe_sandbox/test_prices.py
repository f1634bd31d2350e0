"""Prices in several currencies, by tiers and packages, and the keys by which they are found."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600


async def _price(shop: Shop, **params: Any) -> str:
    asked: Any = {"product": shop.product, "currency": "usd",
                  "recurring": {"interval": "month"}, **params}  # fmt: skip
    return (await shop.account.v1.prices.create_async(asked)).id


def _tiers(*prices: str) -> list[Any]:
    bounds: list[Any] = [5, 10, "inf"]
    return [
        {"up_to": bound, "unit_amount_decimal": price, "flat_amount": 100 if index else 0}
        for index, (bound, price) in enumerate(zip(bounds, prices, strict=True))
    ]


async def test_a_subscription_is_billed_in_another_of_its_prices_currencies(
    account: Account,
) -> None:
    shop = await open_shop(account)
    options = {"jpy": {"unit_amount": 1_500}, "kwd": {"unit_amount": 3_005}}
    price = await _price(shop, unit_amount=1_000, currency_options=options)
    subscription = await shop.subscribe(price, currency="jpy", quantity=2)
    item = subscription.items.data[0]
    assert (subscription.currency, item.price.currency) == ("jpy", "usd")
    (invoice,) = await shop.invoices()
    assert (invoice.currency, invoice.total) == ("jpy", 3_000)
    assert "¥1,500" in str(invoice.lines.data[0].description)
    assert [(charge["amount"], charge["currency"]) for charge in await account.charges()] == [
        (3_000, "jpy")
    ]
    assert problems(subscription.to_dict(for_json=True)) == []
    await shop.advance(START + 14 * DAY)
    await account.v1.subscriptions.update_async(
        subscription.id, {"items": [{"id": item.id, "quantity": 4}]}
    )
    await shop.advance(START + 28 * DAY + _HOUR)
    assert (await shop.invoices())[0].total == -1_500 + 3_000 + 6_000


async def test_all_items_have_the_subscriptions_currency(account: Account) -> None:
    shop = await open_shop(account)
    price = await shop.price(1_000)
    with pytest.raises(stripe.InvalidRequestError, match="only supports `usd`"):
        await shop.subscribe(price, currency="eur")
    subscription = await shop.subscribe(price)
    with pytest.raises(stripe.InvalidRequestError, match="only supports `eur`"):
        await account.v1.subscriptions.update_async(
            subscription.id, {"items": [{"price": await shop.price(900, currency="eur")}]}
        )


async def test_currency_options_are_shown_on_request_and_can_be_added(account: Account) -> None:
    shop = await open_shop(account)
    price = await _price(shop, unit_amount=1_000)
    added: Any = {"currency_options": {"eur": {"unit_amount_decimal": "899.5"}}}
    await account.v1.prices.update_async(price, added)
    plain = await account.http.get(f"/v1/prices/{price}")
    assert "currency_options" not in plain.json()
    found = await account.http.get(f"/v1/prices/{price}", params={"expand[]": "currency_options"})
    options = found.json()["currency_options"]
    assert {name: each["unit_amount_decimal"] for name, each in options.items()} == {
        "usd": "1000", "eur": "899.5",
    }  # fmt: skip
    assert problems(found.json()) == []


@pytest.mark.parametrize(
    ("mode", "quantity", "total"),
    [
        ("graduated", 5, 503), ("graduated", 12, 503 + 100 + 400 + 100 + 100),
        ("volume", 5, 503), ("volume", 6, 580), ("volume", 12, 700),
    ],
)  # fmt: skip
async def test_tiers_are_billed_by_their_mode(
    account: Account, mode: str, quantity: int, total: int
) -> None:
    shop = await open_shop(account)
    tiers = _tiers("100.5", "80", "50")
    price = await _price(shop, billing_scheme="tiered", tiers_mode=mode, tiers=tiers)
    subscription = await shop.subscribe(price, quantity=quantity)
    (invoice,) = await shop.invoices()
    assert invoice.total == total
    assert problems(subscription.to_dict(for_json=True)) == []
    found = await account.http.get(f"/v1/prices/{price}", params={"expand[]": "tiers"})
    assert [tier["up_to"] for tier in found.json()["tiers"]] == [5, 10, None]
    assert problems(found.json()) == []


async def test_tiers_have_amounts_in_each_currency(account: Account) -> None:
    shop = await open_shop(account)
    price = await _price(
        shop,
        billing_scheme="tiered",
        tiers_mode="volume",
        tiers=_tiers("100", "80", "50"),
        currency_options={"eur": {"tiers": _tiers("90", "70", "40")}},
    )
    await shop.subscribe(price, currency="eur", quantity=7)
    assert [invoice.total for invoice in await shop.invoices()] == [590]


@pytest.mark.parametrize(("rounding", "total"), [("up", 3_000), ("down", 2_000)])
async def test_packages_are_billed_whole(account: Account, rounding: str, total: int) -> None:
    shop = await open_shop(account)
    package = {"divide_by": 10, "round": rounding}
    price = await _price(shop, unit_amount=1_000, transform_quantity=package)
    await shop.subscribe(price, quantity=29)
    assert [invoice.total for invoice in await shop.invoices()] == [total]


@pytest.mark.parametrize(
    "params",
    [
        {"custom_unit_amount": {"enabled": True}},
        {"billing_scheme": "tiered", "tiers": _tiers("1", "1", "1")},
        {"billing_scheme": "tiered", "tiers_mode": "volume"},
        {"billing_scheme": "tiered", "tiers_mode": "volume", "unit_amount": 5},
        {"billing_scheme": "tiered", "tiers_mode": "volume",
         "tiers": [{"up_to": 5, "unit_amount": 1}]},
        {"billing_scheme": "tiered", "tiers_mode": "volume",
         "tiers": [{"up_to": 5, "unit_amount": 1}, {"up_to": 5, "unit_amount": 1},
                   {"up_to": "inf", "unit_amount": 1}]},
        {"unit_amount": 5, "currency_options": {"usd": {"unit_amount": 6}}},
        {"unit_amount": 5, "currency_options": {"eur": {"tiers": _tiers("1", "1", "1")}}},
        {},
    ],
)  # fmt: skip
async def test_a_price_that_cannot_be_billed_is_refused(account: Account, params: Any) -> None:
    shop = await open_shop(account)
    with pytest.raises(stripe.InvalidRequestError):
        await _price(shop, **params)


async def test_a_lookup_key_moves_to_another_price_when_told_to(account: Account) -> None:
    shop = await open_shop(account)
    old = await _price(shop, unit_amount=1_000, lookup_key="basic")
    with pytest.raises(stripe.InvalidRequestError, match="already uses"):
        await _price(shop, unit_amount=1_200, lookup_key="basic")
    new = await _price(shop, unit_amount=1_200, lookup_key="basic", transfer_lookup_key=True)
    found = await account.v1.prices.list_async({"lookup_keys": ["basic"]})
    assert [price.id for price in found.data] == [new]
    assert (await account.v1.prices.retrieve_async(old)).lookup_key is None
    await account.v1.prices.update_async(old, {"lookup_key": "basic", "transfer_lookup_key": True})
    found = await account.v1.prices.list_async({"lookup_keys": ["basic"]})
    assert [price.id for price in found.data] == [old]
