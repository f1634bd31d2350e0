"""A difference as it is told: what was held and what the provider says, and nothing about people.

A report is stored, printed and sent about. So of what a person is or typed it names the fields
that differ, and says nothing of what is in them.
"""

from typing import Any

import msgspec

from guichet.billing.books.differences import Difference, Remedy
from guichet.billing.mirror import Kind, Reference
from guichet.payments.copies import Copy, InvoiceCopy

#: What is told in place of the value of a personal field.
WITHHELD = "(personal)"

#: The personal fields of each kind, wherever they stand in a copy.
_PERSONAL: dict[Kind, frozenset[str]] = {
    "attempt": frozenset({"fingerprint"}),
    "customer": frozenset(
        {"address", "email", "name", "phone", "preferred_locales", "shipping", "tax_ids"}
    ),
    # A line is described by whoever wrote the invoice.
    "invoice": frozenset({"description"}),
    "payment_method": frozenset({"country", "exp_month", "exp_year", "fingerprint", "last4"}),
    "price": frozenset(),
    "product": frozenset(),
    "subscription": frozenset({"cancellation_comment"}),
    "test_clock": frozenset(),
}


def describe(each: Reference, held: Copy | None, fetched: Copy | None) -> Difference:
    """The difference between what the mirror holds and what was fetched, which are not equal."""
    remedy: Remedy = "fetch_anew"
    ours, theirs = _plain(held), _plain(fetched)
    if ours is None:
        return Difference("not_here", each.kind, each.id, None, _told(each.kind, theirs), remedy)
    if theirs is None:
        # What cannot be deleted at the provider is of another account than the key's.
        final = isinstance(held, InvoiceCopy) and held.status != "draft"
        if each.kind in ("attempt", "subscription") or final:
            remedy = "tell_merchant"
        return Difference("not_there", each.kind, each.id, _told(each.kind, ours), None, remedy)
    names = [name for name in theirs if ours.get(name) != theirs[name]]
    return Difference(
        "differs",
        each.kind,
        each.id,
        _told(each.kind, {name: ours.get(name) for name in names}),
        _told(each.kind, {name: theirs[name] for name in names}),
        remedy,
    )


def not_shown(each: Reference) -> Difference:
    """What is told of a suspect that the provider refuses to show."""
    return Difference("not_shown", each.kind, each.id, None, None, "tell_merchant")


def _plain(copy: Copy | None) -> dict[str, Any] | None:
    return None if copy is None else msgspec.json.decode(msgspec.json.encode(copy))


def _told(kind: Kind, value: Any) -> Any:
    match value:
        case dict():
            personal = _PERSONAL[kind]
            return {
                name: WITHHELD if name in personal else _told(kind, inner)
                for name, inner in value.items()
            }
        case list():
            return [_told(kind, inner) for inner in value]
        case _:
            return value
