"""What every Stripe object is here: a JSON document with an id of Stripe's shape."""

import secrets
import string
from collections.abc import Sequence
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]

#: Of a list within an object so many are shown; the rest is listed by itself.
SHOWN = 10

API_VERSION = "2026-10-28.endive"

_ALPHABET = string.ascii_letters + string.digits
# One system call makes a whole word: 256 bytes fall on 62 letters, evenly enough for an id.
_LETTERS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))


def new_id(prefix: str, length: int = 24) -> str:
    """An unguessable id such as `cus_Nf…`; the prefix comes without its underscore."""
    return f"{prefix}_{new_token(length)}"


def new_token(length: int = 24) -> str:
    """A random word of letters and digits."""
    return secrets.token_bytes(length).translate(_LETTERS).decode()


def list_of(
    documents: Sequence[Document], url: str, *, has_more: bool = False, total: int | None = None
) -> Document:
    """Stripe's list object around some documents."""
    listing: Document = {
        "object": "list",
        "data": list(documents),
        "has_more": has_more,
        "url": url,
    }
    if total is not None:
        listing["total_count"] = total
    return listing


def merged_metadata(present: Document | None, change: Document | None) -> Document:
    """Stripe's rule: keys are merged, an empty value deletes a key, nothing at all deletes all."""
    if change is None:
        return {}
    merged = {**(present or {}), **change}
    return {key: value for key, value in merged.items() if value not in ("", None)}


def reference(value: Any) -> str | None:
    """The id in an expandable field, expanded or not."""
    identifier: str | None = value["id"] if isinstance(value, dict) else value
    return identifier


def previous_attributes(before: Document, after: Document) -> Document:
    """What an `…updated` event says of the past: the old value of each field that changed.

    Hashes are compared field by field, everything else as a whole, as Stripe does.
    """
    gone = [name for name in before if name not in after]
    altered = [name for name, new in after.items() if name not in before or before[name] != new]
    changed: Document = {}
    for name in [*altered, *gone]:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            changed[name] = previous_attributes(old, new)
        else:
            changed[name] = old
    return changed


def apply(document: Document, change: Document, fields: Sequence[str]) -> None:
    """Copy those of the named fields that the caller sent."""
    for name in fields:
        if name in change:
            document[name] = change[name]


def public(document: Document) -> Document:
    """A document as the API shows it: names with a leading underscore are the sandbox's own."""
    shown = {name: value for name, value in document.items() if name[0] != "_"}
    if shown.get("object") == "subscription":
        _show_items(shown)
    return shown


def _show_items(subscription: Document) -> None:
    items, update = subscription["items"], subscription["pending_update"]
    subscription["items"] = {
        **items,
        "data": [public(item) for item in items["data"][:SHOWN]],
        "has_more": items["has_more"] or len(items["data"]) > SHOWN,
    }
    if update and update["subscription_items"]:
        shown = [public(item) for item in update["subscription_items"]]
        subscription["pending_update"] = {**update, "subscription_items": shown}
