"""Attempts at a payment, with what the card's bank and network said."""

from datetime import datetime
from typing import Literal

import msgspec


class AttemptCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to take money: a charge. It belongs to the invoice of its payment intent."""

    id: str
    customer_id: str | None
    payment_intent_id: str | None
    payment_method_id: str | None
    status: Literal["succeeded", "pending", "failed"]
    currency: str
    amount: int
    amount_refunded: int
    #: The provider's code of the failure, such as `card_declined`.
    failure_code: str | None
    #: The issuer's reason as the provider names it, such as `insufficient_funds`.
    decline_code: str | None
    #: What the provider advises: `try_again_later`, `do_not_try_again` or `confirm_card_data`.
    advice_code: str | None
    #: The network's own codes, such as `51` and `03`.
    network_decline_code: str | None
    network_advice_code: str | None
    #: The network that was asked, such as `visa`, and the card's fingerprint: caps count by these.
    network: str | None
    fingerprint: str | None
    created_at: datetime
