"""What a merchant decides about failed payments: when they are tried again, and how it ends."""

from typing import Annotated, Literal

import msgspec

#: Who collects: we by this policy, or the provider by its own. Never both.
Collector = Literal["guichet", "provider"]
#: What is done about a decline of a class; `ask` waits for the customer.
LaterAction = Literal["retry", "ask", "end"]
SoonAction = Literal["retry_soon", "retry", "ask", "end"]
CustomerAction = Literal["ask", "end"]

Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
MonthDay = Annotated[int, msgspec.Meta(ge=1, le=31)]
#: From about a quarter of an hour: banks take a card that is tried at once again and again for one
#: that is being tested.
WaitDays = Annotated[float, msgspec.Meta(ge=0.01, le=60)]


class QuietTimes(msgspec.Struct, frozen=True, omit_defaults=True):
    """When nothing is charged, in the customer's time zone. Equal hours mean no quiet hours."""

    from_hour: Hour = 0
    until_hour: Hour = 0
    #: 0 is Monday.
    weekdays: Annotated[tuple[Weekday, ...], msgspec.Meta(max_length=6)] = ()


class DeclineActions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to do per class of decline. No setting tries again what a network forbids."""

    later: LaterAction = "retry"
    now: SoonAction = "retry_soon"
    authenticate: CustomerAction = "ask"
    new_card: CustomerAction = "ask"
    never: CustomerAction = "ask"


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of the subscription and its invoice when a case is given up.

    `unpaid` does what the provider's state of that name does: invoices are made and not collected.
    """

    subscription: Literal["cancel", "pause", "unpaid", "leave"] = "leave"
    invoice: Literal["leave", "uncollectible", "void"] = "leave"


class RetryPolicy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """When failed payments are tried again."""

    collector: Collector = "provider"
    #: Nothing is tried for now; cases and their stories go on.
    paused: bool = False
    #: Waits between tries in days; where there are none, `tries` cut the window into equal parts.
    waits_days: Annotated[tuple[WaitDays, ...], msgspec.Meta(max_length=20)] = ()
    #: What is tried at once does not count: again after a failure of the network's own, a
    #: fallback's first time, and a method that the customer has added.
    tries: Annotated[int, msgspec.Meta(ge=0, le=20)] = 8
    #: After that many days a case ends, whatever was tried.
    window_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 14
    quiet: QuietTimes = msgspec.field(default_factory=QuietTimes)
    #: Days of the month on which people are paid: a try moves to one that is at most
    #: `pay_day_reach_days` later.
    pay_days: Annotated[tuple[MonthDay, ...], msgspec.Meta(max_length=8)] = ()
    pay_day_reach_days: Annotated[int, msgspec.Meta(ge=0, le=7)] = 3
    #: A name of the IANA's database, for customers of whom no country is known, or whose country
    #: has several zones and this one among them.
    time_zone: str = "UTC"
    declines: DeclineActions = msgspec.field(default_factory=DeclineActions)
    #: Whether the customer's other methods are tried, in their order.
    fallbacks: bool = True
    #: Days after the first failure: until when access stays whole, and from when it is blocked;
    #: None blocks it only when the case is given up.
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 7
    block_after_days: Annotated[int, msgspec.Meta(ge=0, le=90)] | None = None
    end: Ending = msgspec.field(default_factory=Ending)


#: Stripe's recommendation for its own retries: 8 tries in 2 weeks.
#: Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries.
STRIPE = RetryPolicy(collector="guichet", tries=8, window_days=14)
#: Polar's constant schedule.
POLAR = RetryPolicy(collector="guichet", waits_days=(2, 5, 7, 7), tries=4, window_days=22)
#: Kill Bill's `payment.retry.days` as it comes.
KILL_BILL = RetryPolicy(collector="guichet", waits_days=(8, 8, 8), tries=3, window_days=25)

PRESETS = {"stripe": STRIPE, "polar": POLAR, "kill_bill": KILL_BILL}
