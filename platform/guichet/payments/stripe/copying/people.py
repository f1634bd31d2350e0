"""Stripe's customers and payment methods as copies."""

from typing import Protocol

import stripe

from guichet.payments.copies import (
    AddressCopy,
    CustomerCopy,
    PaymentMethodCopy,
    ShippingCopy,
    TaxIdCopy,
)
from guichet.payments.stripe.copying.values import moment, reference

#: What has to be expanded for a whole copy.
CUSTOMER = ["tax_ids"]
#: The name in a customer's metadata of the ordered fallback methods, separated by commas. Stripe
#: knows one default and no order (https://docs.stripe.com/api/customers/object).
FALLBACKS = "guichet_fallbacks"


class _Address(Protocol):
    line1: str | None
    line2: str | None
    postal_code: str | None
    city: str | None
    state: str | None
    country: str | None


def copy_customer(customer: stripe.Customer) -> CustomerCopy:
    """A customer; of a deleted one Stripe answers `deleted` and the id alone."""
    if getattr(customer, "deleted", False):
        return CustomerCopy(id=customer.id, deleted=True)
    settings = customer.invoice_settings
    metadata = customer.metadata.to_dict() if customer.metadata else {}
    fallbacks: str = metadata.get(FALLBACKS, "")
    return CustomerCopy(
        id=customer.id,
        email=customer.email,
        name=customer.name,
        phone=customer.phone,
        address=_address(customer.address) if customer.address else None,
        shipping=_shipping(customer),
        tax_ids=_tax_ids(customer),
        tax_exempt=customer.tax_exempt or "none",  # type: ignore[arg-type]
        preferred_locales=tuple(customer.preferred_locales or ()),
        currency=customer.currency,
        balance=customer.balance or 0,
        default_payment_method_id=reference(settings.default_payment_method) if settings else None,
        fallback_payment_method_ids=tuple(filter(None, fallbacks.split(","))),
        created_at=moment(customer.created),
        test_clock_id=reference(customer.test_clock),
    )


def _address(address: _Address) -> AddressCopy:
    return AddressCopy(
        line1=address.line1 or None,
        line2=address.line2 or None,
        postal_code=address.postal_code or None,
        city=address.city or None,
        state=address.state or None,
        country=address.country or None,
    )


def _shipping(customer: stripe.Customer) -> ShippingCopy | None:
    shipping = customer.shipping
    if not shipping or not shipping.address:
        return None
    return ShippingCopy(
        name=getattr(shipping, "name", None),
        phone=getattr(shipping, "phone", None),
        address=_address(shipping.address),
    )


def _tax_ids(customer: stripe.Customer) -> tuple[TaxIdCopy, ...]:
    listed = getattr(customer, "tax_ids", None)
    if listed is None:
        return ()
    oldest_first = sorted(listed.data, key=lambda each: (each.created, each.id))
    return tuple(copy_tax_id(tax_id) for tax_id in oldest_first)


def copy_tax_id(tax_id: stripe.TaxId) -> TaxIdCopy:
    verification = tax_id.verification
    return TaxIdCopy(
        id=tax_id.id,
        type=tax_id.type,
        value=tax_id.value,
        verification=verification.status if verification else None,  # type: ignore[arg-type]
    )


def copy_payment_method(method: stripe.PaymentMethod) -> PaymentMethodCopy:
    """A payment method; only cards have a brand and an expiry."""
    # The type is also the name of the field that describes it.
    details = getattr(method, method.type, None)
    return PaymentMethodCopy(
        id=method.id,
        customer_id=reference(method.customer),
        type=method.type,
        brand=getattr(details, "brand", None),
        last4=getattr(details, "last4", None),
        exp_month=getattr(details, "exp_month", None),
        exp_year=getattr(details, "exp_year", None),
        country=getattr(details, "country", None),
        funding=getattr(details, "funding", None),
        fingerprint=getattr(details, "fingerprint", None),
        created_at=moment(method.created),
    )
