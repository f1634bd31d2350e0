"""Which of the provider's objects an event is about. The event's own copy of it is not used."""

from typing import Any

import msgspec

from guichet.billing.mirror import Kind, Reference

#: What the provider calls the objects that the mirror keeps.
_KINDS: dict[str, Kind] = {
    "customer": "customer",
    "invoice": "invoice",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "subscription": "subscription",
}


class _Object(msgspec.Struct):
    id: Any = None
    object: Any = None
    #: Of a subscription schedule: whose plan it changes, or did until it was released.
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
    if subject.object == "subscription_schedule":
        return _reference("subscription", subject.subscription or subject.released_subscription)
    # The preview of an upcoming invoice is an invoice without an id.
    kind = _KINDS.get(subject.object) if isinstance(subject.object, str) else None
    return _reference(kind, subject.id) if kind else None


def _reference(kind: Kind, identifier: object) -> Reference | None:
    return Reference(kind, identifier) if isinstance(identifier, str) and identifier else None
