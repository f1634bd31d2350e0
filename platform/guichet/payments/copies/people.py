"""Customers and what they pay with."""

from datetime import datetime
from typing import Literal

import msgspec


class AddressCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address; `country` is an ISO 3166-1 code of two capital letters."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


class ShippingCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Where goods are sent to."""

    name: str | None
    phone: str | None
    address: AddressCopy


class TaxIdCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A tax number, such as an `eu_vat`, and what its registry said of it, where one was asked."""

    id: str
    type: str
    value: str
    verification: Literal["pending", "unavailable", "unverified", "verified"] | None


class CustomerCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A customer. Of a deleted one the provider tells the id only: the rest is as by default."""

    id: str
    deleted: bool = False
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: AddressCopy | None = None
    shipping: ShippingCopy | None = None
    #: In the order in which they were added.
    tax_ids: tuple[TaxIdCopy, ...] = ()
    tax_exempt: Literal["none", "exempt", "reverse"] = "none"
    preferred_locales: tuple[str, ...] = ()
    #: Set by the provider at the first charge; None before.
    currency: str | None = None
    #: Credit where negative, debt where positive: it is settled by the next invoice.
    balance: int = 0
    default_payment_method_id: str | None = None
    #: What is tried, in this order, when the default one fails.
    fallback_payment_method_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    #: Whose time the customer lives in; None for the world's own.
    test_clock_id: str | None = None


class PaymentMethodCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A payment method; `customer_id` is None once it is detached. Only cards have the rest."""

    id: str
    customer_id: str | None
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    #: Two capital letters: where the card was issued.
    country: str | None
    funding: Literal["credit", "debit", "prepaid", "unknown"] | None
    #: The same for the same card number within one account.
    fingerprint: str | None
    created_at: datetime
