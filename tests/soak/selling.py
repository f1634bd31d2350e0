"""What a merchant does to the catalog and to discounts."""

from typing import Any

from tests.soak.account import Account, NothingThere


async def add_product(account: Account) -> None:
    made = await account.sdk.products.create_async({"name": account.word(), "unit_label": "seat"})
    account.products.append(made.id)


async def change_product(account: Account) -> None:
    change: Any = account.chance.choice(
        [
            {"name": account.word()},
            {"description": account.word()},
            {"active": account.chance.random() < 0.7},
            {"unit_label": account.chance.choice(["seat", "call", ""])},
            {"default_price": account.pick(account.prices)},
        ]
    )
    await account.sdk.products.update_async(account.pick(account.products), change)


async def delete_product(account: Account) -> None:
    """Refused where it has prices."""
    if len(account.products) < 3:
        raise NothingThere
    await account.sdk.products.delete_async(account.chance.choice(account.products[1:]))


async def add_price(account: Account) -> None:
    """Recurring by different intervals, per unit or in tiers, in one currency or in two."""
    chance = account.chance
    wanted: Any = {
        "product": account.pick(account.products),
        "currency": "eur",
        "recurring": {"interval": chance.choice(["month", "month", "week", "year"])},
    }
    match chance.randrange(4):
        case 0:
            tiers = [
                {"up_to": 5, "unit_amount": 700},
                {"up_to": "inf", "unit_amount_decimal": "412.5"},
            ]
            mode = chance.choice(["graduated", "volume"])
            wanted |= {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers}
        case 1:
            wanted |= {
                "unit_amount": chance.randint(100, 9000),
                "transform_quantity": {"divide_by": 3, "round": chance.choice(["up", "down"])},
            }
        case 2:
            wanted |= {
                "unit_amount": chance.randint(100, 9000),
                "currency_options": {"usd": {"unit_amount": chance.randint(100, 9000)}},
            }
        case _:
            wanted |= {"unit_amount": chance.randint(0, 9000)}
    account.prices.append((await account.sdk.prices.create_async(wanted)).id)


async def change_price(account: Account) -> None:
    change: Any = account.chance.choice(
        [
            {"nickname": account.word()},
            {"active": account.chance.random() < 0.7},
            {"lookup_key": account.word(), "transfer_lookup_key": True},
        ]
    )
    await account.sdk.prices.update_async(account.pick(account.prices), change)


async def add_coupon(account: Account) -> None:
    chance = account.chance
    wanted: Any = {"name": account.word(), "duration": chance.choice(["once", "forever"])}
    if chance.random() < 0.5:
        wanted["percent_off"] = chance.randint(1, 100)
    else:
        wanted |= {"amount_off": chance.randint(1, 2000), "currency": "eur"}
    coupon = (await account.sdk.coupons.create_async(wanted)).id
    account.coupons.append(coupon)
    code: Any = {"promotion": {"type": "coupon", "coupon": coupon}}
    account.codes.append((await account.sdk.promotion_codes.create_async(code)).id)


async def rename_coupon(account: Account) -> None:
    coupon = account.pick(account.coupons)
    await account.sdk.coupons.update_async(coupon, {"name": account.word()})


async def delete_coupon(account: Account) -> None:
    """What is discounted already stays so."""
    if len(account.coupons) < 3:
        raise NothingThere
    await account.sdk.coupons.delete_async(account.pick(account.coupons))


async def discount_subscription(account: Account) -> None:
    subscription = await account.subscription()
    coupon: Any = [{"coupon": account.pick(account.coupons)}]
    wanted: Any = {"discounts": "" if account.chance.random() < 0.3 else coupon}
    await account.sdk.subscriptions.update_async(subscription.id, wanted)
