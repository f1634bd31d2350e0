"""What a check of the books finds, and what is done about each finding."""

from typing import Any, Literal

import msgspec

from guichet.billing.mirror import Kind

#: The mirror's objects, and what is worked on beside them.
Subject = Kind | Literal["event", "change_request"]

#: `fetch_anew`: harmless, a repair fetches the object; `fetched_anew`: it did; `retry`: the workers
#: go on trying; `tell_merchant`: nothing can be done here, and a person should look.
Remedy = Literal["fetch_anew", "fetched_anew", "retry", "tell_merchant"]

#: What is done about a difference, for people.
REMEDIES: dict[Remedy, str] = {
    "fetch_anew": "the object is fetched anew by the next repair",
    "fetched_anew": "the object was fetched anew",
    "retry": "the workers go on trying",
    "tell_merchant": "nothing is done: tell the merchant",
}

#: Each rule as what is true where it is broken, for people.
RULES: dict[str, str] = {
    "differs": "the mirror holds something else than the provider",
    "not_here": "the provider holds it and the mirror does not",
    "not_there": "the mirror holds it and the provider does not know it",
    "not_shown": "it seems to differ, and the provider refuses to show it",
    "amount_uncovered": "it is paid, and its payments do not make up the amount",
    "amounts_contradict": "its amounts do not fit each other or its status",
    "lines_do_not_add_up": "its lines do not add up to its subtotal",
    "paid_twice": "more was taken for it than was due",
    "payment_unknown": "a charge was made for it, and no invoice knows its payment as made",
    "charge_missing": "it has a payment that was made, and no charge that succeeded",
    "charged_twice": "two charges for the same payment succeeded",
    "price_unknown": "it has an item whose price is not known",
    "method_not_attached": "its default payment method is not attached to its customer",
    "invoice_unknown": "its latest invoice is not known",
    "end_missing": "it is cancelled and has no end",
    "object_missing": "it was applied, and what it is about is not here",
    "event_waits": "it has waited for too long",
    "change_unsettled": "it has been unsettled for too long",
    "change_charged_twice": "more than one invoice was paid for it",
}


class Difference(msgspec.Struct, frozen=True):
    """One object that breaks one rule."""

    rule: str
    kind: Subject
    id: str
    #: What is held here, and what the provider says, as far as it matters; None for nothing.
    held: dict[str, Any] | None
    provider: dict[str, Any] | None
    remedy: Remedy

    @property
    def key(self) -> tuple[str, str, str]:
        """What the same difference has in each check."""
        return (self.rule, self.kind, self.id)
