"""What a mail tells of: the facts that were queued with it, made fit for a line of text."""

import unicodedata
from datetime import datetime

import msgspec

from guichet.money import Money

#: Longer than any plan's or merchant's name that still reads as one.
_LONGEST = 200


class MailFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of every kind of mail; each kind uses some, and reads well without any of them."""

    invoice_id: str | None = None
    invoice_number: str | None = None
    subscription_id: str | None = None
    amount: Money | None = None
    #: The name of what is paid for; of `plan_changed` the new plan.
    plan: str | None = None
    previous_plan: str | None = None
    #: A code of `guichet.billing.dunning.decisions.reasons` that a customer may be told.
    reason: str | None = None
    next_attempt_at: datetime | None = None
    #: new_card or authenticate.
    asks_for: str | None = None
    last4: str | None = None
    brand: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    #: From when a change of plan is in force; when a receipt's invoice was paid.
    at: datetime | None = None
    #: Until when something may be used, or done: the end of a trial, of a cancelled subscription,
    #: of a window in which a payment can be saved.
    ends_at: datetime | None = None
    renews_at: datetime | None = None
    #: Of a case that was given up: what became of its subscription and its invoice.
    subscription_ended: bool = False
    can_be_paid: bool = True


def read_facts(document: str) -> MailFacts:
    """Read the facts of a message's row. Raises `msgspec.ValidationError`."""
    facts = msgspec.json.decode(document, type=MailFacts, strict=False)
    texts = {
        name: one_line(value)
        for name, value in msgspec.structs.asdict(facts).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(facts, **texts)


def one_line(text: str, longest: int = _LONGEST) -> str:
    """The text without anything that could begin a line, turn its direction, or not be seen.

    Whoever names a plan or a merchant may name it anything; what is left can stand in a header.
    """
    seen = (
        " " if it.isspace() else it
        for it in text[: 4 * longest]
        if it.isspace() or unicodedata.category(it)[0] != "C"
    )
    kept = " ".join("".join(seen).split())
    return kept if len(kept) <= longest else f"{kept[: longest - 1].rstrip()}…"
