"""`expand[]`: ids replaced by the objects they name, and fields shown only on request."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.documents import Document, list_of, public
from stripe_sandbox.state.unit import Unit

_DEEPEST = 4
# Which kind of object the id in a field names.
_KINDS = {
    "charge": "charge",
    "coupon": "coupon",
    "credit_note": "credit_note",
    "customer": "customer",
    "customer_balance_transaction": "customer_balance_transaction",
    "default_payment_method": "payment_method",
    "default_price": "price",
    "discount": "discount",
    "discounts": "discount",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "promotion_code": "promotion_code",
    "refund": "refund",
    "setup_intent": "setup_intent",
    "schedule": "subscription_schedule",
    "subscription": "subscription",
    "test_clock": "test_helpers.test_clock",
}
# What Stripe expands where it is, and what is never there in this sandbox.
_NEVER_THERE = frozenset(
    (
        "account", "charge", "credit_balance_transaction", "failure_balance_transaction",
        "feedback_option", "payment_record", "rule", "transfer",
    )
)  # fmt: skip


def _line_items(unit: Unit, session: Document) -> Document:
    """None: a session in setup mode sells nothing."""
    return list_of([], f"/v1/checkout/sessions/{session['id']}/line_items")


def _sources(unit: Unit, customer: Document) -> Document:
    """None: sources are what came before payment methods."""
    return list_of([], f"/v1/customers/{customer['id']}/sources")


def _subscriptions(unit: Unit, customer: Document) -> Document:
    found = [
        public(subscription)
        for subscription in unit.every("subscription", owner=customer["id"])
        if subscription["status"] not in ("canceled", "incomplete_expired")
    ]
    return list_of(found, f"/v1/customers/{customer['id']}/subscriptions", total=len(found))


def _payments(unit: Unit, invoice: Document) -> Document:
    return unit.listing("invoice_payment", "/v1/invoice_payments", owner=invoice["id"])


def _secret(unit: Unit, invoice: Document) -> Document | None:
    stored = unit.find("invoice", invoice["id"])
    intent = unit.find("payment_intent", stored["_payment_intent"]) if stored else None
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _kept(unit: Unit, shown: Document, name: str) -> Any:
    """What an object keeps for those who ask."""
    stored = unit.find(shown["object"], shown["id"])
    return stored[name] if stored else None


def _refunds(unit: Unit, charge: Document) -> Document:
    return unit.listing("refund", f"/v1/charges/{charge['id']}/refunds", owner=charge["id"])


def _tax_ids(unit: Unit, customer: Document) -> Document:
    url = f"/v1/customers/{customer['id']}/tax_ids"
    return unit.listing("tax_id", url, owner=customer["id"])


_ON_REQUEST: dict[tuple[str, str], Callable[[Unit, Document], Any]] = {
    ("checkout.session", "line_items"): _line_items,
    ("coupon", "applies_to"): lambda unit, coupon: _kept(unit, coupon, "_applies_to"),
    ("coupon", "currency_options"): lambda unit, coupon: _kept(unit, coupon, "_currency_options"),
    ("customer", "sources"): _sources,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _tax_ids,
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _secret,
    ("price", "currency_options"): lambda unit, price: _kept(unit, price, "_currency_options"),
    ("price", "tiers"): lambda unit, price: _kept(unit, price, "_tiers"),
    ("charge", "refunds"): _refunds,
}


def expanded(unit: Unit, answer: Document, paths: Sequence[str]) -> Document:
    """The answer with every path expanded. Raises 400 for a path that names nothing."""
    # What is expanded must not be written back: the answer and the stored objects share parts.
    answer = deepcopy(answer) if paths else answer
    for path in paths:
        names = path.split(".")
        steps = [name for name in names if name != "data"]
        if len(steps) > _DEEPEST:
            raise invalid(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}",
                "expand",
            )
        _expand(unit, answer, names, path)
    return answer


def _expand(unit: Unit, node: Any, names: Sequence[str], path: str) -> None:
    if isinstance(node, list):
        for each in node:
            _expand(unit, each, names, path)
    elif isinstance(node, dict) and names:
        first, *rest = names
        on_request = _ON_REQUEST.get((str(node.get("object")), first))
        if on_request and not isinstance(node.get(first), dict | list):
            node[first] = deepcopy(on_request(unit, node))
        if first not in node:
            if first in _NEVER_THERE:
                return
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        node[first] = _resolved(unit, first, node[first], path)
        # The keys of this hash are currencies, not fields.
        by_currency = first == "currency_options"
        _expand(unit, list(node[first].values()) if by_currency else node[first], rest, path)


def _resolved(unit: Unit, name: str, value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_resolved(unit, name, each, path) for each in value]
    if not isinstance(value, str):
        return value
    if name == "plan":
        # Plans are what prices were before; there are none here, and their ids are the prices'.
        return value
    if name not in _KINDS:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    found = unit.find(_KINDS[name], value)
    if found is None:
        return value
    if found.get("_deleted"):
        return {"id": value, "object": found["object"], "deleted": True}
    return deepcopy(public(found))
