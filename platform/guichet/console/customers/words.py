"""The words for how cases, attempts, access and mails stand, each with a badge's kind."""

from collections.abc import Iterable
from datetime import datetime

from guichet.billing.dunning.cases.cases import AttemptState, State
from guichet.billing.dunning.decisions.facts import Access, Reason
from guichet.billing.dunning.decisions.reasons import merchant_text
from guichet.theming.locale import Speech


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


#: How subscriptions stand, with the empty text for however they do.
FILTERS = (
    ("", _("All")),
    ("active", _("Active")),
    ("trial", _("In a trial")),
    ("past_due", _("Past due")),
    ("cancelled", _("Cancelled")),
)
CASES: dict[State, tuple[str, str]] = {
    "waiting": (_("Tried again later"), "info"),
    "asking": (_("Waits for the customer"), "caution"),
    "provider": (_("The provider tries again"), "info"),
    "attempting": (_("A payment is under way"), "info"),
    "unknown": (_("Being looked into"), "caution"),
    "recovered": (_("Recovered"), "positive"),
    "given_up": (_("Given up"), "negative"),
    "voided": (_("Voided"), "neutral"),
    "paid_elsewhere": (_("Paid elsewhere"), "positive"),
}
#: A case that the team has stopped.
STOPPED: tuple[str, str] = (_("Stopped"), "neutral")
ATTEMPTS: dict[AttemptState, tuple[str, str]] = {
    "started": (_("Under way"), "info"),
    "unknown": (_("Being looked into"), "caution"),
    "succeeded": (_("Paid"), "positive"),
    "declined": (_("Declined"), "negative"),
    "needs_authentication": (_("The bank asks the customer"), "caution"),
    "refused": (_("Refused by the provider"), "negative"),
    "not_made": (_("Not made"), "neutral"),
}
ACCESS: dict[Access, str] = {
    "ok": _("Full access"),
    "grace": _("Full access, for now"),
    "restricted": _("Restricted access"),
    "blocked": _("No access"),
}
MESSAGES = {
    "queued": _("Waits to be sent"),
    "sending": _("Being sent"),
    "sent": _("Sent"),
    "failed": _("Not sent: failed"),
    "suppressed": _("Not sent"),
}


def tell_reasons(reasons: Iterable[Reason], words: Speech) -> tuple[str, ...]:
    """Reasons as sentences, with days as the language writes them."""
    told = []
    for reason in reasons:
        message, facts = merchant_text(reason)
        until = facts.get("until")
        days = (
            {"until": words.date(datetime.fromisoformat(until))} if isinstance(until, str) else {}
        )
        told.append(words.gettext(message, **(facts | days)))
    return tuple(told)
