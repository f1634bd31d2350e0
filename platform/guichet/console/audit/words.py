"""An audit row as people read it: what was done, and what was there before and after."""

from typing import Any

import msgspec

from guichet.console.audit.reading import Entry


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


#: Every act that is written down; a former release may have known others.
ACTS = {
    "member.invited": _("Invited somebody"),
    "member.joined": _("Accepted an invitation"),
    "member.changed": _("Changed a role"),
    "member.removed": _("Removed a member"),
    "member.set": _("Set a member"),
    "invitation.resent": _("Sent an invitation again"),
    "invitation.revoked": _("Took an invitation back"),
    "draft.saved": _("Changed the draft"),
    "draft.discarded": _("Threw the draft away"),
    "draft.replaced": _("Replaced the draft"),
    "draft.imported": _("Imported a configuration"),
    "configuration.published": _("Published"),
    "configuration.rolled_back": _("Went back to a former version"),
    "picture.added": _("Added a picture"),
    "provider_key.set": _("Set the provider’s key"),
    "provider_key.rejected": _("The provider rejected its key"),
    "provider_key.accepted": _("The provider accepted its key again"),
    "webhook_endpoint.made": _("Made the webhook endpoint"),
    "webhook_endpoint.removed": _("Removed a webhook endpoint"),
    "former_account.settled": _("Saw to the endpoint of a former account"),
    "client_secret.set": _("Set a client secret"),
    "client_secret.removed": _("Removed a client secret"),
    "test_mail.sent": _("Sent themselves a mail of the draft"),
    "secret.set": _("Set a secret"),
    "vault.rotated": _("Sealed the secrets anew"),
    "provider.import_asked": _("Asked for an import"),
    "host.added": _("Added a domain"),
    "host.verified": _("Verified a domain"),
    "host.lost": _("A domain does not lead here any more"),
    "host.removed": _("Removed a domain"),
    "tenant.added": _("Added the merchant"),
    "tenant.suspended": _("Suspended the merchant"),
    "tenant.resumed": _("Resumed the merchant"),
    "agency.added": _("Added the agency"),
    "customer.signed_in": _("Signed in"),
    "customer.signed_out": _("Signed out"),
    "dunning_case.retry_asked": _("Asked for a payment to be tried now"),
    "dunning_case.stop_asked": _("Stopped the retries of a payment"),
    "support_view.asked": _("Asked to see a customer’s portal"),
    "support_view.begun": _("Saw a customer’s portal"),
    "support_view.ended": _("Ended a support view"),
    "mail_preference.changed": _("Changed which mails they want"),
    "draft.caught_up": _("Took what was published into the draft"),
    "identity_provider.removed": _("Removed a sign-in provider"),
    "subscription.change_plan.done": _("Changed the plan"),
    "subscription.change_plan.refused": _("A change of plan was refused"),
    "subscription.cancel.done": _("Cancelled the subscription"),
    "subscription.cancel.refused": _("A cancellation was refused"),
    "subscription.keep.done": _("Took the cancellation back"),
    "subscription.keep.refused": _("Taking the cancellation back was refused"),
    "subscription.undo_change.done": _("Took a planned change back"),
    "subscription.undo_change.refused": _("Taking a planned change back was refused"),
    "payment_method.added": _("Added a payment method"),
    "payment_method.added_in_part": _("Added a payment method, not in full"),
    "payment_method.ordered": _("Put payment methods in another order"),
    "payment_method.ordered_in_part": _("Put payment methods in another order, not in full"),
    "payment_method.removed": _("Removed a payment method"),
    "payment_method.removed_in_part": _("Removed a payment method, not in full"),
    "payment_method.page_opened": _("Opened the provider’s page for cards"),
    "payment_attempt.succeeded": _("A charge succeeded"),
    "payment_attempt.declined": _("A charge was declined"),
    "payment_attempt.needs_authentication": _("A charge waits for the customer’s confirmation"),
    "payment_attempt.refused": _("The provider refused a charge"),
    "payment_attempt.not_made": _("A charge was not made"),
    "dunning_case.recovered": _("A failed payment was recovered"),
    "dunning_case.given_up": _("Gave a failed payment up"),
    "dunning_case.voided": _("The invoice of a failed payment was voided"),
    "dunning_case.paid_elsewhere": _("A failed payment was paid in another way"),
    "dunning_end.refused": _("The provider refused what was to follow the last try"),
    "collection.taken_over": _("Took over the tries of a payment"),
    "collection.handed_back": _("Handed the tries of a payment back to the provider"),
    "collection.resumed": _("The provider collects again"),
    "collection.not_resumed": _("The provider could not be made to collect again"),
}
_LONGEST_VALUE = 400
_MOST_ROWS = 40


class Change(msgspec.Struct, frozen=True):
    """What was there before and after; an empty side was not there."""

    name: str
    before: str
    after: str


class Told(msgspec.Struct, frozen=True):
    """A row of the page."""

    entry: Entry
    #: An English sentence that is translated where it is shown, or the name of the act.
    act: str
    changes: tuple[Change, ...]
    #: Other details: name and value.
    facts: tuple[tuple[str, str], ...]


def tell(entry: Entry) -> Told:
    """A row made readable."""
    details = msgspec.json.decode(entry.details)
    given: dict[str, Any] = details if isinstance(details, dict) else {"details": details}
    before, after = _side(given, "before"), _side(given, "after")
    names = list(dict.fromkeys((*before, *after)))[:_MOST_ROWS]
    changes = tuple(
        Change(name, _text(before.get(name, "")), _text(after.get(name, ""))) for name in names
    )
    facts = tuple(
        (name, _text(value))
        for name, value in list(given.items())[:_MOST_ROWS]
        if name not in ("before", "after")
    )
    return Told(entry, ACTS.get(entry.action, entry.action), changes, facts)


def _side(given: dict[str, Any], name: str) -> dict[str, Any]:
    """What was before or after, by its name."""
    value = given.get(name, {})
    return value if isinstance(value, dict) else {"": value}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
