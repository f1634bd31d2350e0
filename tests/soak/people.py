"""What a merchant does to customers and their cards, and to the time that they live in."""

import asyncio
import time
from typing import Any

from tests.soak import weather
from tests.soak.account import Account, NothingThere, Person

_DAY = 86_400
_MOST_CLOCKS = 4
#: Good ones, one that fails when it is charged later, one whose bank always asks.
_CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit")
_BAD_CARDS = ("pm_card_chargeCustomerFail", "pm_card_authenticationRequired")
#: Twenty seconds for a clock's way.
_WAIT_SECONDS = 20


def _card(account: Account) -> str:
    return account.chance.choice(_CARDS if account.chance.random() < 0.85 else _BAD_CARDS)


async def add_customer(account: Account) -> None:
    chance = account.chance
    clock = account.pick(account.clocks) if account.clocks and chance.random() < 0.5 else None
    wanted: Any = {
        "email": f"{chance.getrandbits(32):x}@example.com",
        "name": account.word(),
        "address": {"line1": account.word(), "country": chance.choice(["FR", "DE", "US"])},
    }
    if clock:
        wanted["test_clock"] = clock
    if chance.random() < 0.3:
        wanted["tax_id_data"] = [{"type": "eu_vat", "value": f"DE{chance.randrange(10**9):09}"}]
    customer = await account.sdk.customers.create_async(wanted)
    account.people.append(Person(customer.id, clock))
    await account.shop.set_card(customer.id, _card(account))


async def change_customer(account: Account) -> None:
    change: Any = account.chance.choice(
        [
            {"name": account.word()},
            {"balance": account.chance.randint(-3000, 3000)},
            {"preferred_locales": account.chance.choice([["fr"], ["de", "en"]])},
            {"tax_exempt": account.chance.choice(["none", "exempt", "reverse"])},
            {"shipping": {"name": account.word(), "address": {"city": account.word()}}},
            {"phone": str(account.chance.randrange(10**9))},
        ]
    )
    await account.sdk.customers.update_async(account.pick(account.people).id, change)


async def delete_customer(account: Account) -> None:
    if len(account.people) < 5:
        raise NothingThere
    person = account.chance.choice(account.people)
    await account.sdk.customers.delete_async(person.id)
    if person in account.people:
        account.people.remove(person)


async def add_card(account: Account) -> None:
    customer = account.pick(account.people).id
    wanted: Any = {"customer": customer}
    await account.sdk.payment_methods.attach_async(_card(account), wanted)


async def take_card(account: Account) -> None:
    card = await account.card(account.pick(account.people).id)
    await account.sdk.payment_methods.detach_async(card)


async def renew_card(account: Account) -> None:
    card = await account.card(account.pick(account.people).id)
    change: Any = {"card": {"exp_month": account.chance.randint(1, 12), "exp_year": 2034}}
    await account.sdk.payment_methods.update_async(card, change)


async def set_default_card(account: Account) -> None:
    customer = account.pick(account.people).id
    change: Any = {"invoice_settings": {"default_payment_method": await account.card(customer)}}
    await account.sdk.customers.update_async(customer, change)


async def give_tax_id(account: Account) -> None:
    customer = account.pick(account.people).id
    # Some of Stripe's magic values are verified, refused or pending after a moment.
    number = account.chance.choice(["000000000", "111111111", "222222222", "123456789"])
    wanted: Any = {"type": "eu_vat", "value": f"DE{number}"}
    await account.sdk.customers.tax_ids.create_async(customer, wanted)


async def add_clock(account: Account) -> None:
    """One half begins months ago, the other one now."""
    if len(account.clocks) >= _MOST_CLOCKS:
        raise NothingThere
    back = account.chance.choice([0, 0, 90, 200]) * _DAY
    made = await account.sdk.test_helpers.test_clocks.create_async(
        {"frozen_time": int(time.time()) - back}
    )
    account.clocks.append(made.id)


async def advance_clock(account: Account) -> None:
    """By some days or a month, and wait until it is there."""
    clock = account.pick(account.clocks)
    service = account.sdk.test_helpers.test_clocks
    present = await service.retrieve_async(clock)
    days = account.chance.choice([1, 3, 8, 15, 32])
    await service.advance_async(clock, {"frozen_time": present.frozen_time + days * _DAY})
    for _ in range(_WAIT_SECONDS):
        if (await service.retrieve_async(clock)).status != "advancing":
            return
        await asyncio.sleep(1)


async def decline_next_charge(account: Account) -> None:
    reason = account.chance.choice(["insufficient_funds", "lost_card", "do_not_honor"])
    await weather.turn(account.shop, fail_next_charges=1, fail_with=reason)
