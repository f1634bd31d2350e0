"""The mails there are, and which of them a customer may do without."""

from typing import NamedTuple

from tenants.mails import MailKind

Kind = MailKind


class Rules(NamedTuple):
    """How a kind is treated."""

    #: Sent whatever the customer prefers: it says what is owed or what they agreed to.
    required: bool
    #: Tells of an invoice that is to be paid, and is not sent any more once it is not.
    asks_for_payment: bool = False


KINDS: dict[Kind, Rules] = {
    "payment_failed": Rules(required=True, asks_for_payment=True),
    "action_needed": Rules(required=True, asks_for_payment=True),
    "card_expiring": Rules(required=False),
    "recovered": Rules(required=False),
    "given_up": Rules(required=True),
    "renewal_coming": Rules(required=False),
    "trial_ending": Rules(required=False),
    "receipt": Rules(required=False),
    "plan_changed": Rules(required=True),
    "cancelled": Rules(required=True),
}

#: What a customer may have or not, in the order in which it is offered.
OPTIONAL: tuple[Kind, ...] = tuple(kind for kind, rules in KINDS.items() if not rules.required)
#: See `Rules.asks_for_payment`.
ASKING: tuple[Kind, ...] = tuple(kind for kind, rules in KINDS.items() if rules.asks_for_payment)
