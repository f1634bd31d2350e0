"""What customers do through us: every call of the port that changes something."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from guichet.payments.copies import AddressCopy, SubscriptionCopy
from guichet.payments.errors import ProviderError
from guichet.payments.orders import (
    Cancellation,
    CustomerDetails,
    ItemOrder,
    NewSubscription,
    Pause,
    SubscriptionChange,
)
from tests.soak.account import Account

_Answer = TypeVar("_Answer")
#: After an unknown outcome a call is repeated so often with its key.
_REPEATS = 2


async def insist(account: Account, call: Callable[[str], Awaitable[_Answer]]) -> _Answer:
    """Call with a new key, and with the same one again while nobody knows what became of it."""
    key = account.key()
    for _ in range(_REPEATS):
        try:
            return await call(key)
        except ProviderError as error:
            if error.outcome_known:
                raise
    return await call(key)


def order(account: Account, copy: SubscriptionCopy, *, later: bool) -> SubscriptionChange:
    """Another price or quantity for one item, now or at the end of the period."""
    chance = account.chance
    item = chance.choice(copy.items)
    return SubscriptionChange(
        subscription_id=copy.id,
        items=(
            ItemOrder(
                item_id=item.id,
                price_id=account.pick(account.prices) if chance.random() < 0.6 else item.price_id,
                quantity=chance.randint(1, 9),
            ),
        ),
        when="period_end" if later else "now",
        proration="none" if later else chance.choice(["always_invoice", "create_prorations"]),
        unpaid="wait" if not later and chance.random() < 0.3 else "refuse",
        as_of=copy.current_period_start_at or copy.created_at,
    )


async def start(account: Account) -> None:
    person = account.pick(account.people)
    wanted = NewSubscription(
        customer_id=person.id,
        items=(ItemOrder(price_id=account.pick(account.prices)),),
        payment_method_id=await account.card(person.id),
        trial_days=account.chance.choice([None, None, 7]),
    )
    started = await insist(account, lambda key: account.port.start_subscription(wanted, key))
    account.add_subscription(started.subscription.id, person.id)


async def change_now(account: Account) -> None:
    change = order(account, await account.subscription(), later=False)
    await insist(account, lambda key: account.port.change_subscription(change, key))


async def change_later(account: Account) -> None:
    change = order(account, await account.subscription(), later=True)
    await insist(account, lambda key: account.port.schedule_change(change, key))


async def undo(account: Account) -> None:
    copy = await account.subscription()
    await insist(account, lambda key: account.port.undo_scheduled_change(copy.id, key))


async def cancel(account: Account) -> None:
    copy = await account.subscription()
    now = account.chance.random() < 0.3
    wanted = Cancellation(
        subscription_id=copy.id,
        when="now" if now else "period_end",
        credit=now and account.chance.random() < 0.5,
        feedback=account.chance.choice([None, "too_expensive", "unused"]),
        comment=account.chance.choice([None, account.word()]),
    )
    await insist(account, lambda key: account.port.cancel(wanted, key))


async def keep(account: Account) -> None:
    copy = await account.subscription()
    await insist(account, lambda key: account.port.keep(copy.id, key))


async def pause(account: Account) -> None:
    copy = await account.subscription()
    back = datetime.now(UTC) + timedelta(days=400)
    wanted = Pause(
        subscription_id=copy.id,
        behavior=account.chance.choice(["keep_as_draft", "mark_uncollectible", "void"]),
        resumes_at=account.chance.choice([None, back]),
    )
    await insist(account, lambda key: account.port.pause(wanted, key))


async def resume(account: Account) -> None:
    copy = await account.subscription()
    await insist(account, lambda key: account.port.resume(copy.id, key))


async def change_details(account: Account) -> None:
    customer = account.pick(account.people).id
    details = account.chance.choice(
        [
            CustomerDetails(name=account.word(), phone=None),
            CustomerDetails(address=AddressCopy(line1=account.word(), country="FR")),
            CustomerDetails(email=f"{account.chance.getrandbits(32):x}@example.org"),
            CustomerDetails(preferred_locales=("fr", "en"), shipping=None),
        ]
    )
    await insist(account, lambda key: account.port.update_customer(customer, details, key))


async def add_tax_id(account: Account) -> None:
    customer = account.pick(account.people).id
    value = f"FR{account.chance.randrange(10**11):011}"
    await insist(account, lambda key: account.port.add_tax_id(customer, "eu_vat", value, key))


async def remove_tax_id(account: Account) -> None:
    customer = account.pick(account.people).id
    found = await account.port.fetch_customer(customer)
    tax_id = account.pick([it.id for it in found.tax_ids] if found else [])
    await insist(account, lambda key: account.port.remove_tax_id(customer, tax_id, key))


async def order_methods(account: Account) -> None:
    customer = account.pick(account.people).id
    methods = [it.id async for it in account.port.list_payment_methods(customer)]
    account.chance.shuffle(methods)
    chosen = tuple(methods[:15])
    await insist(account, lambda key: account.port.order_payment_methods(customer, chosen, key))


async def detach(account: Account) -> None:
    card = await account.card(account.pick(account.people).id)
    await insist(account, lambda key: account.port.detach_payment_method(card, key))


async def pay(account: Account) -> None:
    invoice = (await account.invoice("open")).id or ""
    present = account.chance.random() < 0.5
    await insist(
        account, lambda key: account.port.charge_invoice(invoice, key, customer_present=present)
    )


async def finalize(account: Account) -> None:
    invoice = (await account.invoice("draft")).id or ""
    await insist(account, lambda key: account.port.finalize_invoice(invoice, key))


async def void(account: Account) -> None:
    invoice = (await account.invoice("open", "uncollectible")).id or ""
    await insist(account, lambda key: account.port.void_invoice(invoice, key))


async def give_up(account: Account) -> None:
    invoice = (await account.invoice("open")).id or ""
    await insist(account, lambda key: account.port.mark_uncollectible(invoice, key))
