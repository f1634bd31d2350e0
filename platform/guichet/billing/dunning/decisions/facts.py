"""What a decision about a failed payment is made from, and what it is. Times are the customer's."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

#: What a decline means for the next try, from best to worst.
DeclineClass = Literal["now", "later", "authenticate", "new_card", "never"]
Access = Literal["ok", "grace", "restricted", "blocked"]
Initiator = Literal["merchant", "provider", "customer"]
#: What a member of the merchant's team wants of a case: a try at once, no more tries, or none and
#: the policy's end.
AskedFor = Literal["retry", "stop", "end"]


class Reason(msgspec.Struct, frozen=True):
    """One step of an explanation: a code of the module `reasons` beside this one, with facts.

    Facts are texts, numbers, or times in ISO 8601: whoever tells them formats them.
    """

    code: str
    facts: dict[str, str | int | float] = msgspec.field(default_factory=dict)


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at the invoice, whoever made it."""

    at: datetime
    #: Of a charge that nobody told us of, `provider`: it counts for the networks' caps.
    initiator: Initiator
    outcome: Literal["under_way", "unknown", "succeeded", "declined", "refused", "not_made"]
    #: None unless declined.
    decline: DeclineClass | None = None
    #: Before then the network does not want that card again, as `declines` has it.
    not_before: datetime | None = None
    payment_method_id: str | None = None
    fingerprint: str | None = None
    #: Those of the decision that it was made by; their codes say what kind of a try it is.
    reasons: tuple[Reason, ...] = ()


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A payment method that may be charged, in the order in which methods are tried."""

    id: str
    type: str = "card"
    network: str | None = None
    fingerprint: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    #: When the customer added it, or it was renewed last, as far as that is known.
    attached_at: datetime
    #: The earliest time at which the networks' caps leave room for it: None for now, and where
    #: `is_banned` never. `cap` names the rule that speaks, for the reason.
    allowed_at: datetime | None = None
    is_banned: bool = False
    cap: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One case as it is now."""

    now: datetime
    #: The first failure.
    opened_at: datetime
    #: For how long nobody could bring it on since then: its window lasts longer by that.
    held_up: timedelta = timedelta()
    invoice_status: Literal["draft", "open", "paid", "uncollectible", "void"]
    #: None for an invoice without a subscription.
    subscription_status: str | None
    #: The provider has deleted the customer, by themselves or with their test clock.
    customer_gone: bool = False
    #: Whether the provider's own retries are switched off: what is charged by nobody we know of is
    #: then somebody else's payment.
    taken: bool = False
    asked_for: AskedFor | None = None
    #: The customer's country, two capital letters, and state, as far as they are known.
    country: str | None = None
    region: str | None = None
    #: Oldest first.
    tries: tuple[Try, ...] = ()
    #: Best first: the subscription's own, the customer's default, then the fallbacks in order.
    methods: tuple[Method, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is done next about a case, and why.

    - `attempt`: charge `payment_method_id` now.
    - `wait`: charge `payment_method_id` at `at`; ask again then.
    - `ask`: the customer has to act; at `at` the window is over.
    - `rest`: nothing to do for now: paused, or the provider's own retries are at work.
    - `end`: give up, as the policy's ending says.
    - `close`: it is over, with `outcome`.
    """

    step: Literal["attempt", "wait", "ask", "rest", "end", "close"]
    #: In the order in which they applied; never empty.
    reasons: tuple[Reason, ...]
    at: datetime | None = None
    payment_method_id: str | None = None
    #: What the customer has to do, of `ask`.
    asks_for: Literal["new_card", "authenticate"] | None = None
    outcome: Literal["recovered", "voided", "paid_elsewhere", "given_up"] | None = None
    #: What the case does to its subscription now, and when that changes if nothing happens.
    access: Access = "grace"
    access_changes_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        """Whether it rests because the merchant has paused retries."""
        return self.step == "rest" and any(reason.code == "paused" for reason in self.reasons)

    @property
    def is_stopped(self) -> bool:
        """Whether the team has stopped it, without the policy's end."""
        return any(reason.code == "stopped_by_staff" for reason in self.reasons)
