"""Invoices as the mirror holds them."""

from datetime import datetime
from typing import Literal

import msgspec

from guichet.money import Money


class Invoice(msgspec.Struct, frozen=True):
    """One invoice; the shape of the view `invoice_documents`."""

    id: str
    customer_id: str
    subscription_id: str | None
    number: str | None
    status: Literal["draft", "open", "paid", "uncollectible", "void"]
    total: Money
    remaining: Money
    attempt_count: int
    next_payment_attempt_at: datetime | None
    created_at: datetime
