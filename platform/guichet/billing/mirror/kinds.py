"""The kinds of objects that the mirror keeps, and how one of them is named."""

from typing import Literal, NamedTuple

from guichet.payments.copies import (
    AttemptCopy,
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
    TestClockCopy,
)

Kind = Literal[
    "attempt",
    "customer",
    "invoice",
    "payment_method",
    "price",
    "product",
    "subscription",
    "test_clock",
]

_KINDS: dict[type[Copy], Kind] = {
    AttemptCopy: "attempt",
    CustomerCopy: "customer",
    InvoiceCopy: "invoice",
    PaymentMethodCopy: "payment_method",
    PriceCopy: "price",
    ProductCopy: "product",
    SubscriptionCopy: "subscription",
    TestClockCopy: "test_clock",
}


class Reference(NamedTuple):
    """One object of the provider."""

    kind: Kind
    id: str


def reference_to(copy: Copy) -> Reference:
    return Reference(_KINDS[type(copy)], copy.id)
