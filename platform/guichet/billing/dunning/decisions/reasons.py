"""The words for reasons: all of them for merchants, and what a customer may be told of a decline.

Customers are never told what an issuer or the provider suspects: a lost, stolen or blocked card is
worded as any other decline, as https://docs.stripe.com/declines/codes asks.
"""

from guichet.billing.dunning.decisions.declines import classify
from guichet.billing.dunning.decisions.facts import DeclineClass, Reason


def _(message: str) -> str:
    """Mark a sentence for translation."""
    return message


_MERCHANT = {
    # When, and with what.
    "planned": _("Try %(number)s of %(tries)s in your schedule."),
    "soon": _("The failure was the network's own, so it is tried again after %(minutes)s minutes."),
    "new_method": _("The customer added or renewed this payment method, so it is tried at once."),
    "fallback": _("This payment method is a fallback that was not tried yet."),
    "quiet": _("It waits for the end of your quiet times in the customer's zone, %(zone)s."),
    "pay_day": _("It waits for a pay day."),
    "asked_by_staff": _("A member of your team asked for it."),
    "network_wait": _("The card's network asked to wait until %(until)s."),
    "cap": _("The card's network allows no more tries before %(until)s."),
    # Why a payment method is not charged.
    "tries_used_up": _("All %(tries)s tries in your schedule were made."),
    "no_time_left": _("No time for another try is left before the case ends."),
    "fallbacks_off": _("Other payment methods are not tried: fallbacks are switched off."),
    "no_method": _("The customer has no payment method that can be charged."),
    "card_expired": _("The card expired in %(month)s/%(year)s."),
    "banned": _("The card's network forbids to try this card again."),
    "declined_never": _("The decline was final: this card is not tried again."),
    "declined_new_card": _("The decline said that the card's details have to change first."),
    "declined_authenticate": _("The bank wants the customer to confirm the payment in person."),
    "declined_later": _("The card was declined, and you do not have such declines tried again."),
    "declined_now": _("The payment could not be processed, and you do not have that tried again."),
    # Why nobody can ask for another try, or for none.
    "retry_asked_for": _("A member of your team has just asked for a try: it is made in a moment."),
    "stop_asked_for": _("A member of your team has stopped the retries."),
    "provider_stopped": _("Your payment provider refuses your key: see your connections."),
    "ending": _("The case is just being ended."),
    "case_closed": _("The case is closed."),
    # Nothing to do for now.
    "paused": _("You have paused all retries."),
    "provider_collects": _("Your payment provider tries again by its own rules."),
    "try_under_way": _("A payment is under way."),
    "try_unknown": _("Nobody knows yet what became of the last payment: the provider is asked."),
    "settling": _("A payment has just succeeded: the invoice will show it soon."),
    "invoice_draft": _("The invoice is a draft again."),
    # It is over.
    "window_over": _("The time for retries is over. Its length in days: %(days)s."),
    "subscription_ended": _("The subscription has ended."),
    "stopped_by_staff": _("A member of your team stopped the retries."),
    "ended_by_staff": _("A member of your team ended the case before its time."),
    "paid_by_merchant": _("A retry was paid."),
    "paid_by_provider": _("Your payment provider collected the payment."),
    "paid_by_customer": _("The customer paid."),
    "paid_elsewhere": _("The invoice was paid in another way."),
    "invoice_voided": _("The invoice was voided."),
    "invoice_uncollectible": _("The invoice was marked as uncollectible."),
    "customer_gone": _("The customer was deleted at your payment provider."),
}

_CUSTOMER = {
    "insufficient_funds": _("Your bank said that there was not enough money on the card."),
    "limit": _("Your bank said that a limit of the card was reached."),
    "expired_card": _("Your card has expired."),
    "incorrect_details": _("Some details of your card are not right."),
    "not_supported": _("Your card cannot be used for this payment."),
    "authentication": _("Your bank wants you to confirm this payment."),
    "temporary": _("Your bank could not be reached, or could not process the payment."),
    "no_method": _("There is no payment method to charge."),
    "declined": _("Your bank declined the payment."),
}

#: What may be told, by the provider's code; everything else is `declined`.
_TOLD = {
    code: reason
    for reason, codes in {
        "insufficient_funds": ("insufficient_funds",),
        "limit": (
            "card_velocity_exceeded",
            "charge_exceeds_source_limit",
            "charge_exceeds_transaction_limit",
            "payment_limit_exceeded",
            "withdrawal_count_limit_exceeded",
        ),
        "expired_card": (
            "expired_card",
            "expired_payment_information",
            "invalid_expiry_month",
            "invalid_expiry_year",
        ),
        "incorrect_details": (
            "incorrect_address",
            "incorrect_cvc",
            "incorrect_number",
            "incorrect_zip",
            "invalid_cvc",
            "invalid_number",
        ),
        "not_supported": ("card_not_supported", "currency_not_supported"),
    }.items()
    for code in codes
}


def merchant_text(reason: Reason) -> tuple[str, dict[str, str | int | float]]:
    """A sentence to translate, and the values of its `%(name)s`; times in them are ISO 8601."""
    return _MERCHANT[reason.code], reason.facts


def customer_reason(
    decline_code: str | None,
    failure_code: str | None = None,
    decline_class: DeclineClass | None = None,
) -> str:
    """What a customer is told of a decline, as a code for `customer_text`."""
    told = _TOLD.get(decline_code or "") or _TOLD.get(failure_code or "")
    if decline_class is None:
        decline_class = classify(decline_code=decline_code, failure_code=failure_code).decline
    if decline_class == "never":
        return "declined"
    if decline_class == "authenticate":
        return "authentication"
    if decline_class == "now":
        return "temporary"
    return told or "declined"


def customer_text(code: str) -> str:
    """A sentence to translate, for a customer; of a code that nobody knows, the plainest one."""
    return _CUSTOMER.get(code, _CUSTOMER["declined"])
