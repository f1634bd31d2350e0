"""The mails there are, and which of them a customer may do without."""

from typing import Literal, NamedTuple

Kind = Literal[
    "payment_failed",
    "action_needed",
    "card_expiring",
    "recovered",
    "given_up",
    "renewal_coming",
    "trial_ending",
    "receipt",
    "plan_changed",
    "cancelled",
]


class Rules(NamedTuple):
    """How a kind is treated."""

    #: Sent whatever the customer prefers: it says what is owed or what they agreed to.
    required: bool


KINDS: dict[Kind, Rules] = {
    "payment_failed": Rules(required=True),
    "action_needed": Rules(required=True),
    "card_expiring": Rules(required=False),
    "recovered": Rules(required=False),
    "given_up": Rules(required=True),
    "renewal_coming": Rules(required=False),
    "trial_ending": Rules(required=False),
    "receipt": Rules(required=False),
    "plan_changed": Rules(required=True),
    "cancelled": Rules(required=True),
}
