"""Copies of the provider's objects as they were fetched; what the mirror is written from.

A copy holds what pages, rules and workers read, in our words. Amounts are in minor units of the
currency beside them; a `Decimal` is an amount in minor units that may be finer than one.
"""

from guichet.payments.copies.attempts import AttemptCopy
from guichet.payments.copies.catalog import (
    CouponCopy,
    CurrencyOptionCopy,
    PriceCopy,
    ProductCopy,
    PromotionCodeCopy,
    TierCopy,
)
from guichet.payments.copies.clocks import TestClockCopy
from guichet.payments.copies.invoices import InvoiceCopy, InvoicePaymentCopy, LineCopy
from guichet.payments.copies.people import (
    AddressCopy,
    CustomerCopy,
    PaymentMethodCopy,
    ShippingCopy,
    TaxIdCopy,
)
from guichet.payments.copies.subscriptions import (
    DiscountCopy,
    ItemCopy,
    PauseCopy,
    PendingCopy,
    PendingUpdateCopy,
    SubscriptionCopy,
)

Copy = (
    CustomerCopy
    | PaymentMethodCopy
    | ProductCopy
    | PriceCopy
    | SubscriptionCopy
    | InvoiceCopy
    | AttemptCopy
    | TestClockCopy
)

__all__ = [
    "AddressCopy",
    "AttemptCopy",
    "Copy",
    "CouponCopy",
    "CurrencyOptionCopy",
    "CustomerCopy",
    "DiscountCopy",
    "InvoiceCopy",
    "InvoicePaymentCopy",
    "ItemCopy",
    "LineCopy",
    "PauseCopy",
    "PaymentMethodCopy",
    "PendingCopy",
    "PendingUpdateCopy",
    "PriceCopy",
    "ProductCopy",
    "PromotionCodeCopy",
    "ShippingCopy",
    "SubscriptionCopy",
    "TaxIdCopy",
    "TestClockCopy",
    "TierCopy",
]
