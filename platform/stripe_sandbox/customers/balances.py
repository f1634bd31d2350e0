"""Customers' balances: every movement is a transaction of its own."""

from stripe_sandbox.customers.addressees import living_customer
from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.requests.forms import integer, metadata, text
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.state.unit import Unit


def move_balance(
    unit: Unit, customer: Document, amount: int, kind: str, *, currency: str | None = None,
    invoice: str | None = None, credit_note: str | None = None,
) -> Document:  # fmt: skip
    """Change a balance by an amount in minor units: negative is a credit to the customer.

    `kind` is the transaction's type (https://docs.stripe.com/billing/customer/balance). The
    caller saves the customer.
    """
    customer["balance"] += amount
    customer["currency"] = customer["currency"] or currency or "usd"
    return unit.add(
        {
            "id": new_id("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": unit.now(customer),
            "credit_note": credit_note,
            "currency": currency or customer["currency"],
            "customer": customer["id"],
            "customer_account": None,
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": invoice,
            "livemode": False,
            "metadata": {},
            "type": kind,
        }
    )


def set_balance(unit: Unit, customer: Document, balance: int, kind: str) -> None:
    """Bring a balance to a value; the caller saves the customer."""
    if difference := balance - customer["balance"]:
        move_balance(unit, customer, difference, kind)


def create_balance_transaction(unit: Unit, params: Document, identifier: str) -> Document:
    """Credit a customer (a negative amount) or let them owe more at the next invoice."""
    customer = living_customer(unit, identifier)
    currency = params["currency"].lower()
    if customer["currency"] not in (None, currency):
        raise invalid(
            f"The currency of the balance transaction must be {customer['currency']}, as the "
            "customer's is.",
            "currency",
        )
    moved = move_balance(unit, customer, params["amount"], "adjustment", currency=currency)
    _describe(moved, params)
    unit.update(moved)
    unit.update(customer, "customer.updated")
    return public(moved)


def _describe(transaction: Document, params: Document) -> None:
    if "description" in params:
        transaction["description"] = params["description"]
    if "metadata" in params:
        transaction["metadata"] = merged_metadata(transaction["metadata"], params["metadata"])


def _transaction(unit: Unit, customer: str, identifier: str) -> Document:
    living_customer(unit, customer)
    found = unit.find("customer_balance_transaction", identifier)
    if found is None or found["customer"] != customer:
        raise missing("customer balance transaction", identifier)
    return found


def retrieve_balance_transaction(
    unit: Unit, params: Document, customer: str, identifier: str
) -> Document:
    """One movement of one customer's balance."""
    return public(_transaction(unit, customer, identifier))


def update_balance_transaction(
    unit: Unit, params: Document, customer: str, identifier: str
) -> Document:
    """Words and metadata only: what was moved stays moved."""
    transaction = _transaction(unit, customer, identifier)
    _describe(transaction, params)
    return public(unit.update(transaction))


def list_balance_transactions(unit: Unit, params: Document, customer: str) -> Document:
    """Newest first, of all or of one invoice."""
    living_customer(unit, customer)
    return page(
        unit, "customer_balance_transaction", f"/v1/customers/{customer}/balance_transactions",
        params, owner=customer,
        only=lambda each: params.get("invoice") in (None, each["invoice"]),
    )  # fmt: skip


_PATH = "/v1/customers/{}/balance_transactions"
_WORDS = {"description": text, "metadata": metadata}

ROUTES = [
    route(
        "POST", _PATH, create_balance_transaction,
        {"amount": integer, "currency": text, **_WORDS}, ("amount", "currency"),
    ),
    listing(_PATH, list_balance_transactions, {"invoice": text}),
    route("GET", f"{_PATH}/{{}}", retrieve_balance_transaction),
    route("POST", f"{_PATH}/{{}}", update_balance_transaction, _WORDS),
]  # fmt: skip
