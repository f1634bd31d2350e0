"""Cases and attempts as rows, and the states that they may be in."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from guichet.billing.dunning.decisions.facts import (
    Access,
    AskedFor,
    Decision,
    DeclineClass,
    Reason,
)

State = Literal[
    "waiting",
    "asking",
    "provider",
    "attempting",
    "unknown",
    "recovered",
    "given_up",
    "voided",
    "paid_elsewhere",
]
AttemptState = Literal[
    "started", "unknown", "succeeded", "declined", "needs_authentication", "refused", "not_made"
]

#: A charge or an end is under way, or nobody knows what became of a charge.
BUSY: tuple[State, ...] = ("attempting", "unknown")
CLOSED: tuple[State, ...] = ("recovered", "given_up", "voided", "paid_elsewhere")

#: Nobody knows yet what became of it.
UNDER_WAY: tuple[AttemptState, ...] = ("started", "unknown")

#: Workers that are busy, or deployed anew, hold nobody up.
_PROMPT = timedelta(hours=1)
#: Who asks for a try wants it now: where none could be made for so long, nobody waits for it.
_ASKED = timedelta(hours=1)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice whose payment failed. Times are the customer's."""

    invoice_id: str
    customer_id: str
    subscription_id: str | None
    test_clock_id: str | None
    state: State
    opened_at: datetime
    #: When something is due; since when the case rests, where retries are paused.
    due_at: datetime | None = None
    #: Steps in a row that brought nothing: each waits longer for the next one.
    looks: int
    decision: Decision | None
    #: None before the first look.
    policy_version: int | None
    #: None while that is being changed, and as long as nobody knows whether it was.
    taken: bool | None
    #: Whether its end has stopped the subscription's collection.
    paused_collection: bool = False
    access: Access
    #: By a member of the merchant's team, and when by the wall's time.
    asked_for: AskedFor | None = None
    asked_at: datetime | None = None

    @property
    def is_ending(self) -> bool:
        """Whether its end has begun at the provider, and has to be brought to its own."""
        begun = self.decision is not None and self.decision.step == "end"
        return begun and self.state == "attempting"

    def wish(self, wall_now: datetime) -> AskedFor | None:
        """What somebody asked for and is still to be done: a try for an hour, an end for good."""
        is_old = self.asked_at is not None and self.asked_at < wall_now - _ASKED
        return None if self.asked_for == "retry" and is_old else self.asked_for

    def lateness(self, now: datetime) -> timedelta:
        """For how long nobody could bring on what was to be, where the case is taken up `now`.

        Retries were paused, or the first look or a planned attempt was missed: no worker was there,
        or the tenant or its provider was not. A customer who is asked could act all the time.
        """
        since = self._awaited_since
        late = now - since if since is not None else timedelta()
        return late if late > _PROMPT else timedelta()

    @property
    def _awaited_since(self) -> datetime | None:
        if self.decision is None:
            return self.opened_at
        if self.decision.is_paused:
            return self.due_at
        return self.decision.at if self.decision.step == "wait" else None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One charge that we or the customer asked for."""

    invoice_id: str
    number: int
    initiator: Literal["merchant", "customer"]
    idempotency_key: str
    payment_method_id: str | None
    network: str | None = None
    fingerprint: str | None = None
    reasons: tuple[Reason, ...] = ()
    #: The customer's time, and the wall's.
    started_at: datetime
    sent_at: datetime
    state: AttemptState = "started"
    decline_class: DeclineClass | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    charge_id: str | None = None
    payment_intent_id: str | None = None
    request_id: str | None = None
    finished_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still become something: the customer may be at their bank."""
        waits = self.state == "needs_authentication" and self.initiator == "customer"
        return self.state in UNDER_WAY or (waits and self.finished_at is None)
