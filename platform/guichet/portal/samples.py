"""Customers who do not exist, with whom a draft is looked at: one for each state.

They are made of the merchant's own plans where there are any, so that the pages say what they will
say; nothing of a real customer is ever read for a preview.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from guichet.billing.catalog import Interval, Price
from guichet.billing.failed_payments import FailedPayment, Failure
from guichet.billing.invoices import Invoice
from guichet.billing.payment_methods import MethodBook, PaymentMethod
from guichet.billing.subscriptions import Item, PendingChange, Subscription
from guichet.money import Money
from tenants.catalog import Plan
from tenants.configuration import Configuration

CARD = PaymentMethod("pm_1", "card", "visa", "4242", 8, 2031)
SPARE = PaymentMethod("pm_2", "card", "mastercard", "4444", 10, 2030)
_DEBIT = PaymentMethod("pm_3", "sepa_debit", None, "3000", None, None)
_LONG_NAME = "Professional collaboration suite with priority support and extended archive"
_INVOICES = 10


class Assortment(msgspec.Struct, frozen=True):
    """Plans with their prices: the merchant's own, or ours where there are none to show."""

    plans: tuple[Plan, ...]
    prices: dict[str, Price]

    @property
    def listed(self) -> tuple[Price, ...]:
        """The prices in the order of the plans."""
        return tuple(self.prices[it.price_id] for it in self.plans if it.price_id in self.prices)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's portal."""

    subscriptions: tuple[Subscription, ...]
    invoices: tuple[Invoice, ...]
    methods: MethodBook
    failed_payments: tuple[FailedPayment, ...] = ()
    assortment: Assortment
    now: datetime

    @property
    def main(self) -> Subscription:
        """The subscription that the pages about one are about."""
        return self.subscriptions[0]


def assortment_of(configuration: Configuration, prices: dict[str, Price], state: str) -> Assortment:
    """What the sample customers may choose from; `prices` are the merchant's, by id."""
    wanted = configuration.plans
    if state == "yen":
        return _ours("jpy", (980, 1980, 4980))
    if any(it.price_id in prices for it in wanted):
        return Assortment(wanted, prices)
    return _ours("eur", (900, 2900, 5900))


def make_sample(assortment: Assortment, state: str, now: datetime) -> Sample:
    """The customer of a state; one of which nothing is known is the active one."""
    usual = _subscription(1, assortment.listed[0], now)
    owed: tuple[FailedPayment, ...] = ()
    invoices = tuple(_invoice(order, assortment.listed[0], now) for order in range(_INVOICES))
    cards: tuple[PaymentMethod, ...] = (CARD, SPARE)
    changes = _CHANGES.get(state)
    subscriptions: tuple[Subscription, ...] = (changes(usual, now) if changes else usual,)
    if state == "trial":
        invoices, cards = (), ()
    elif state == "past_due":
        owed = (_failed(invoices[0], now),)
        invoices = (_unpaid(invoices[0]), *invoices[1:])
    elif state == "none":
        subscriptions, invoices, cards = (), (), ()
    elif state == "many":
        subscriptions, cards = _many(assortment, now), (CARD, SPARE, _DEBIT)
    return Sample(
        subscriptions=subscriptions,
        invoices=invoices,
        methods=_book(cards, now),
        failed_payments=owed,
        assortment=assortment,
        now=now,
    )


def owing(assortment: Assortment, now: datetime) -> tuple[Sample, Invoice]:
    """The customer whose payment failed, whatever state was asked for, and that invoice."""
    sample = make_sample(assortment, "past_due", now)
    return sample, sample.invoices[0]


def _ending(usual: Subscription, now: datetime) -> Subscription:
    return msgspec.structs.replace(usual, cancel_at_period_end=True, canceled_at=now)


def _ended(usual: Subscription, now: datetime) -> Subscription:
    ended_at = now - timedelta(days=12)
    return msgspec.structs.replace(usual, status="canceled", ended_at=ended_at)


def _trial(usual: Subscription, now: datetime) -> Subscription:
    trial_end_at = now + timedelta(days=9)
    return msgspec.structs.replace(
        usual, status="trialing", trial_end_at=trial_end_at, current_period_end_at=trial_end_at
    )


def _past_due(usual: Subscription, _now: datetime) -> Subscription:
    return msgspec.structs.replace(usual, status="past_due", access="grace")


_CHANGES = {"cancelling": _ending, "ended": _ended, "trial": _trial, "past_due": _past_due}


def _many(assortment: Assortment, now: datetime) -> tuple[Subscription, ...]:
    """As much as somebody may have, under names as long as products have."""
    first, last = assortment.listed[0], assortment.listed[-1]
    long = msgspec.structs.replace(
        last, id="price_long", product=_LONG_NAME, amount=Money(124900, last.currency)
    )
    pending = PendingChange(now + timedelta(days=21), 1, last)
    planned = msgspec.structs.replace(
        _subscription(2, first, now), schedule_id="s", schedule_is_ours=True, pending=pending
    )
    return (
        _subscription(1, long, now, quantity=12),
        planned,
        _ending(_subscription(3, last, now, quantity=3), now),
        _trial(_subscription(4, first, now), now),
        _ended(_subscription(5, long, now), now),
    )


def _ours(currency: str, amounts: tuple[int, ...]) -> Assortment:
    prices = [
        _price(name, amount, currency)
        for name, amount in zip(("Basic", "Team", "Studio"), amounts, strict=True)
    ]
    plans = tuple(Plan(price.id, quantity_max=1) for price in prices)
    return Assortment(plans, {price.id: price for price in prices})


def _price(name: str, amount: int, currency: str, interval: Interval = "month") -> Price:
    slug = name.lower()
    return Price(
        id=f"price_{slug}",
        product_id=f"prod_{slug}",
        product=name,
        amount=Money(amount, currency),
        currency=currency,
        interval=interval,
        interval_count=1,
        active=True,
    )


def _subscription(number: int, price: Price, now: datetime, quantity: int = 1) -> Subscription:
    return Subscription(
        id=f"sub_{number}",
        customer_id="cus_sample",
        status="active",
        currency=price.currency,
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        trial_end_at=None,
        current_period_start_at=now - timedelta(days=9),
        current_period_end_at=now + timedelta(days=21),
        created_at=now - timedelta(days=374),
        schedule_id=None,
        default_payment_method_id=None,
        pending=None,
        unfinished_change=False,
        items=(Item(f"si_{number}", quantity, price),),
    )


def _invoice(order: int, price: Price, now: datetime) -> Invoice:
    return Invoice(
        id=f"in_{order}",
        customer_id="cus_sample",
        subscription_id="sub_1",
        number=f"A-2026-{120 - order:04d}",
        status="paid",
        total=price.amount or Money(2900, price.currency),
        remaining=Money(0, price.currency),
        attempt_count=1,
        next_payment_attempt_at=None,
        created_at=now - timedelta(days=9 + 30 * order),
    )


def _unpaid(invoice: Invoice) -> Invoice:
    return msgspec.structs.replace(invoice, status="open", remaining=invoice.total)


def _failed(invoice: Invoice, now: datetime) -> FailedPayment:
    return FailedPayment(
        invoice_id=invoice.id,
        subscription_id=invoice.subscription_id,
        number=invoice.number,
        amount=invoice.total,
        state="waiting",
        next_attempt_at=now + timedelta(days=3),
        asks_for=None,
        access="grace",
        access_changes_at=now + timedelta(days=6),
        failure=Failure(
            at=now - timedelta(days=1),
            failure_code="card_declined",
            decline_code="insufficient_funds",
            payment_method_id=CARD.id,
            brand=CARD.brand,
            last4=CARD.last4,
        ),
    )


def _book(cards: tuple[PaymentMethod, ...], now: datetime) -> MethodBook:
    return MethodBook(
        ordered=cards, others=(), has_live_subscription=bool(cards), pinned={}, now=now
    )


def today() -> datetime:
    """The moment that samples are made at, without the seconds that nobody is shown."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
