"""What is known of a customer, as Stripe's parameters."""

from typing import Any

import msgspec

from guichet.payments.copies import AddressCopy, ShippingCopy
from guichet.payments.orders import CustomerDetails

#: The languages of Stripe's hosted pages.
#: Source: https://docs.stripe.com/api/checkout/sessions/create, `locale`.
_LOCALES = (
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl "
    "pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
)


def customer_parameters(details: CustomerDetails) -> dict[str, Any]:
    """Only what is set; Stripe clears what is sent empty."""
    values = msgspec.structs.asdict(details)
    return {name: _parameter(value) for name, value in values.items() if value is not msgspec.UNSET}


def _parameter(value: str | AddressCopy | ShippingCopy | tuple[str, ...] | None) -> Any:
    if isinstance(value, AddressCopy):
        return _address(value)
    if isinstance(value, ShippingCopy):
        return {
            "name": value.name or "",
            "phone": value.phone or "",
            "address": _address(value.address),
        }
    if isinstance(value, tuple):
        # The SDK sends nothing at all for an empty list.
        return list(value) or ""
    return value or ""


def _address(address: AddressCopy) -> dict[str, str]:
    """Every field, so that nothing of a former address stays."""
    return {name: value or "" for name, value in msgspec.structs.asdict(address).items()}


def checkout_locale(tag: str | None) -> str:
    """The language of a hosted page for a tag such as `fr-BE`; else the browser's."""
    if tag is None:
        return "auto"
    known = _LOCALES.split()
    return next((each for each in (tag, tag.partition("-")[0]) if each in known), "auto")
