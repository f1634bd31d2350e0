"""Payment methods: test cards, made from Stripe's tokens and attached to customers."""

from datetime import UTC, datetime

from stripe_sandbox.payments.cards import Card, card_error, card_fields, decline_for
from stripe_sandbox.payments.published_cards import CARDS, CARDS_BY_NUMBER
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    ADDRESS,
    NO_ADDRESS,
    anything,
    hash_of,
    integer,
    metadata,
    one_of,
    text,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.state.unit import Unit

_BILLING_DETAILS = hash_of(
    {"address": ADDRESS, "email": text, "name": text, "phone": text, "tax_id": text}
)


def new_payment_method(
    unit: Unit,
    card: Card,
    *,
    expiry: tuple[int, int] | None = None,
    world: Document | None = None,
) -> Document:
    """A card that belongs to nobody yet, made in the time of the `world` customer if any."""
    created = unit.now(world)
    exp_month, exp_year = expiry or _default_expiry(created)
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict(NO_ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": card_fields(card, exp_month, exp_year),
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_number": card.number,
    }


def _default_expiry(now: int) -> tuple[int, int]:
    """Stripe's tokens expire in the present month of next year."""
    moment = datetime.fromtimestamp(now, UTC)
    return moment.month, moment.year + 1


def card_of(payment_method: Document) -> Card:
    """The test card behind a payment method."""
    return CARDS_BY_NUMBER[payment_method["_number"]]


def find_payment_method(
    unit: Unit, identifier: str, param: str | None = None, *, world: Document | None = None
) -> Document:
    """A stored payment method, or a new one from a `pm_card_…` token."""
    if card := CARDS.get(identifier):
        return unit.add(new_payment_method(unit, card, world=world))
    return unit.need("payment_method", identifier, param)


def check_attachable(method: Document) -> None:
    """What was detached once is of no use for ever. Raises 400."""
    if method.get("_detached"):
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
            "payment_method",
        )


def create_payment_method(unit: Unit, params: Document) -> Document:
    """From a published test number or token."""
    details = params.get("card") or {}
    token = (details.get("token") or "").replace("tok_", "pm_card_")
    card = CARDS_BY_NUMBER.get(details.get("number") or "") or CARDS.get(token)
    if card is None:
        raise invalid("Your card number is incorrect.", "card[number]", "incorrect_number")
    expiry = None
    if details.get("exp_month") and details.get("exp_year"):
        expiry = (details["exp_month"], details["exp_year"])
    method = new_payment_method(unit, card, expiry=expiry)
    _describe(method, params)
    return public(unit.add(method))


def _describe(method: Document, params: Document) -> None:
    if "metadata" in params:
        method["metadata"] = merged_metadata(method["metadata"], params["metadata"])
    if details := params.get("billing_details"):
        address = {**method["billing_details"]["address"], **(details.pop("address", None) or {})}
        method["billing_details"] = {**method["billing_details"], **details, "address": address}
    if "allow_redisplay" in params:
        method["allow_redisplay"] = params["allow_redisplay"]


def attach(unit: Unit, identifier: str, customer: Document) -> Document:
    """Make a payment method this customer's. A card that the bank refuses is not attached."""
    method = find_payment_method(unit, identifier, world=customer)
    if method["customer"] == customer["id"]:
        return method
    if method["customer"]:
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            "payment_method",
            "payment_method_unexpected_state",
        )
    card = card_of(method)
    if card.decline_code and not card.attachable:
        raise card_error(decline_for(card.decline_code), keeps_effects=False)
    method["customer"] = customer["id"]
    unit.update(method)
    unit.emit("payment_method.attached", method)
    return method


def attach_payment_method(unit: Unit, params: Document, identifier: str) -> Document:
    """Attach, and answer with the attached payment method."""
    customer = unit.need("customer", params["customer"], "customer")
    return public(attach(unit, identifier, customer))


def detach_payment_method(unit: Unit, params: Document, identifier: str) -> Document:
    """The customer loses it, and it cannot be used again."""
    method = unit.need("payment_method", identifier)
    if not method["customer"]:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
            "payment_method",
        )
    customer = unit.need("customer", method["customer"])
    previous = {"customer": method["customer"]}
    _drop_defaults(unit, customer, identifier)
    method["customer"] = None
    method["_detached"] = True
    unit.emit("payment_method.detached", {**method, "_clock": customer["test_clock"]}, previous)
    return public(unit.update(method))


def _drop_defaults(unit: Unit, customer: Document, identifier: str) -> None:
    if customer["invoice_settings"]["default_payment_method"] == identifier:
        customer["invoice_settings"]["default_payment_method"] = None
        unit.update(customer, "customer.updated")
    for subscription in list(unit.every("subscription", owner=customer["id"])):
        if subscription["default_payment_method"] == identifier:
            subscription["default_payment_method"] = None
            unit.update(subscription, "customer.subscription.updated")


def retrieve_payment_method(unit: Unit, params: Document, identifier: str) -> Document:
    """One payment method."""
    return public(find_payment_method(unit, identifier))


def update_payment_method(unit: Unit, params: Document, identifier: str) -> Document:
    """Billing details, expiry and metadata."""
    method = unit.need("payment_method", identifier)
    _describe(method, params)
    for name in ("exp_month", "exp_year"):
        if (value := (params.get("card") or {}).get(name)) is not None:
            method["card"][name] = value
    return public(unit.update(method, "payment_method.updated"))


def list_payment_methods(unit: Unit, params: Document, customer: str = "") -> Document:
    """A customer's, newest first."""
    owner = customer or params.get("customer")
    if not owner:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    unit.need("customer", owner, None if customer else "customer")
    wanted = params.get("type")
    url = f"/v1/customers/{owner}/payment_methods" if customer else "/v1/payment_methods"
    return page(
        unit, "payment_method", url, params, owner=owner,
        only=lambda method: wanted in (None, method["type"]),
    )  # fmt: skip


def retrieve_of_customer(unit: Unit, params: Document, customer: str, identifier: str) -> Document:
    """One payment method of one customer."""
    unit.need("customer", customer)
    method = unit.need("payment_method", identifier)
    return (
        public(method)
        if method["customer"] == customer
        else public(unit.need("payment_method", f"{identifier} of {customer}"))
    )


_REDISPLAY = one_of("always", "limited", "unspecified")
_CARD = hash_of(
    {"number": text, "token": text, "exp_month": integer, "exp_year": integer, "cvc": anything}
)

ROUTES = [
    route(
        "POST",
        "/v1/payment_methods",
        create_payment_method,
        {
            "type": one_of("card"),
            "card": _CARD,
            "billing_details": _BILLING_DETAILS,
            "metadata": metadata,
            "allow_redisplay": _REDISPLAY,
        },
        ("type",),
    ),
    listing("/v1/payment_methods", list_payment_methods, {"customer": text, "type": text}),
    route("GET", "/v1/payment_methods/{}", retrieve_payment_method),
    route(
        "POST",
        "/v1/payment_methods/{}",
        update_payment_method,
        {
            "card": hash_of({"exp_month": integer, "exp_year": integer}),
            "billing_details": _BILLING_DETAILS,
            "metadata": metadata,
            "allow_redisplay": _REDISPLAY,
        },
    ),
    route(
        "POST", "/v1/payment_methods/{}/attach", attach_payment_method, {"customer": text},
        ("customer",),
    ),
    route("POST", "/v1/payment_methods/{}/detach", detach_payment_method),
    listing("/v1/customers/{}/payment_methods", list_payment_methods, {"type": text}),
    route("GET", "/v1/customers/{}/payment_methods/{}", retrieve_of_customer),
]  # fmt: skip
