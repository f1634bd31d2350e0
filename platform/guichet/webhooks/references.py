"""Which of the provider's objects an event is about. The event's own copy of it is not used."""

from typing import Any

import msgspec

from guichet.billing.mirror import Kind, Reference

#: What of the mirror each of the provider's objects touches, and the field that names it; of
#: several the first that is set.
_TOUCHED: dict[str, tuple[tuple[Kind, str], ...]] = {
    "charge": (("attempt", "id"),),
    "credit_note": (("invoice", "invoice"),),
    "customer": (("customer", "id"),),
    "discount": (("subscription", "subscription"), ("customer", "customer")),
    # The preview of an upcoming invoice is an invoice without an id.
    "invoice": (("invoice", "id"),),
    "invoice_payment": (("invoice", "invoice"),),
    "payment_intent": (("invoice", "invoice"),),
    "payment_method": (("payment_method", "id"),),
    "price": (("price", "id"),),
    "product": (("product", "id"),),
    "refund": (("attempt", "charge"),),
    "subscription": (("subscription", "id"),),
    # Whose plan it changes, or did until it was released.
    "subscription_schedule": (
        ("subscription", "subscription"),
        ("subscription", "released_subscription"),
    ),
    "tax_id": (("customer", "customer"),),
    "test_helpers.test_clock": (("test_clock", "id"),),
}


class _Object(msgspec.Struct):
    id: Any = None
    object: Any = None
    charge: Any = None
    customer: Any = None
    invoice: Any = None
    subscription: Any = None
    released_subscription: Any = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    data: _Data


_decoder = msgspec.json.Decoder(_Event)


def reference_of(body: bytes) -> Reference | None:
    """The object to fetch anew, or None for an event that touches nothing in the mirror.

    Unknown types are such events: whatever the provider invents, it is no failure of ours.
    """
    try:
        subject = _decoder.decode(body).data.object
    except msgspec.DecodeError:
        return None
    touched = _TOUCHED.get(subject.object, ()) if isinstance(subject.object, str) else ()
    for kind, field in touched:
        identifier = getattr(subject, field)
        if isinstance(identifier, str) and identifier:
            return Reference(kind, identifier)
    return None
