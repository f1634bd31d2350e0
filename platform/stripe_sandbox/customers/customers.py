"""Customers."""

import re

from stripe_sandbox.customers.addressees import living_customer, readdress_drafts
from stripe_sandbox.customers.balances import set_balance
from stripe_sandbox.customers.tax_ids import TAX_ID_DATA, add_tax_id
from stripe_sandbox.payments.payment_methods import attach
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    ADDRESS,
    NO_ADDRESS,
    anything,
    hash_of,
    integer,
    list_of,
    metadata,
    one_of,
    span,
    text,
    text_up_to,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import (
    Document,
    apply,
    merged_metadata,
    new_id,
    new_token,
    public,
)
from stripe_sandbox.state.unit import Unit

_PLAIN = (
    "address", "business_name", "description", "email", "individual_name", "name", "phone",
    "preferred_locales", "shipping",
)  # fmt: skip
_NO_SHIPPING: Document = {"address": None, "name": None, "phone": None}
# What drafts show of their customer.
_ADDRESSED = {"address", "email", "name", "phone", "shipping", "tax_exempt"}


def create_customer(unit: Unit, params: Document) -> Document:
    """A customer lives in the time of its test clock, if it is given one."""
    clock = params.get("test_clock")
    if clock:
        unit.need("test_helpers.test_clock", clock, "test_clock")
    customer: Document = {
        **blank("customer"),
        "id": new_id("cus", 14),
        "balance": 0,
        "created": unit.clock_time(clock),
        "invoice_prefix": params.get("invoice_prefix") or new_token(8).upper(),
        "metadata": merged_metadata({}, params.get("metadata")),
        "next_invoice_sequence": params.get("next_invoice_sequence") or 1,
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": clock,
    }
    apply(customer, params, _PLAIN)
    _complete(customer)
    _check_email(params)
    unit.add(customer)
    if params.get("balance"):
        set_balance(unit, customer, params["balance"], "initial")
    unit.emit("customer.created", customer)
    for index, data in enumerate(params.get("tax_id_data") or []):
        add_tax_id(unit, customer, data["type"], data["value"], f"tax_id_data[{index}][value]")
    if method := params.get("payment_method"):
        attached = attach(unit, method, customer)["id"]
        _set_invoice_settings(unit, customer, params, attached)
    else:
        _set_invoice_settings(unit, customer, params)
    return public(unit.update(customer))


def _complete(customer: Document) -> None:
    """Whatever was sent of an address, all its parts are answered."""
    customer["preferred_locales"] = customer["preferred_locales"] or []
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    if shipping := customer["shipping"]:
        shipping = customer["shipping"] = {**_NO_SHIPPING, **shipping}
    for holder in (customer, shipping or {}):
        if address := holder.get("address"):
            holder["address"] = {**NO_ADDRESS, **address}


def _set_invoice_settings(
    unit: Unit, customer: Document, params: Document, just_attached: str | None = None
) -> None:
    settings = params.get("invoice_settings")
    if not settings:
        return
    method = settings.get("default_payment_method")
    if method and method != just_attached:
        param = "invoice_settings[default_payment_method]"
        if just_attached and method == params.get("payment_method"):
            settings["default_payment_method"] = just_attached
        else:
            _check_owned(unit, customer, method, param)
    customer["invoice_settings"] = {**customer["invoice_settings"], **settings}


def _check_owned(unit: Unit, customer: Document, method: str, param: str) -> None:
    """A default payment method must be the customer's own."""
    found = unit.need("payment_method", method, param)
    if found["customer"] != customer["id"]:
        raise invalid(
            "The customer does not have a payment method with the ID "
            f"{method}. The payment method must be attached to the customer.",
            param,
            "resource_missing",
        )


def retrieve_customer(unit: Unit, params: Document, identifier: str) -> Document:
    """One customer; a deleted one answers with its stub."""
    customer = unit.need("customer", identifier)
    return _stub(customer) if customer.get("_deleted") else public(customer)


def _stub(customer: Document) -> Document:
    return {"id": customer["id"], "object": "customer", "deleted": True}


def update_customer(unit: Unit, params: Document, identifier: str) -> Document:
    """Change what is sent, keep the rest."""
    customer = living_customer(unit, identifier)
    _check_email(params)
    apply(customer, params, (*_PLAIN, "tax_exempt"))
    if params.get("next_invoice_sequence"):
        customer["next_invoice_sequence"] = params["next_invoice_sequence"]
    if "balance" in params:
        set_balance(unit, customer, params["balance"] or 0, "adjustment")
    _complete(customer)
    if params.get("invoice_prefix"):
        customer["invoice_prefix"] = params["invoice_prefix"]
    if "metadata" in params:
        customer["metadata"] = merged_metadata(customer["metadata"], params["metadata"])
    _set_invoice_settings(unit, customer, params)
    unit.update(customer, "customer.updated")
    if _ADDRESSED & params.keys():
        readdress_drafts(unit, customer)
    return public(customer)


def _check_email(params: Document) -> None:
    """Stripe looks at the shape only: something, an @, something with a dot."""
    email = params.get("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")


def list_customers(unit: Unit, params: Document) -> Document:
    """Newest first; `email` matches exactly, upper and lower case apart, as at Stripe."""
    return page(
        unit,
        "customer",
        "/v1/customers",
        params,
        owner=params.get("test_clock"),
        tag=params.get("email"),
        only=lambda customer: (
            not customer.get("_deleted") and within(customer["created"], params.get("created"))
        ),
    )


_FIELDS = {
    "address": ADDRESS,
    "balance": integer,
    "business_name": text_up_to(150),
    "description": text,
    "email": text_up_to(512),
    "individual_name": text_up_to(150),
    "invoice_prefix": text,
    "invoice_settings": hash_of(
        {
            "custom_fields": list_of(hash_of({"name": text, "value": text}, ("name", "value"))),
            "default_payment_method": text,
            "footer": text,
            "rendering_options": hash_of(
                {
                    "amount_tax_display": one_of("exclude_tax", "include_inclusive_tax"),
                    "template": text,
                }
            ),
        }
    ),
    "metadata": metadata,
    "name": text_up_to(256),
    "next_invoice_sequence": integer,
    "phone": text_up_to(20),
    "preferred_locales": list_of(text),
    "shipping": hash_of({"address": ADDRESS, "name": text, "phone": text}),
    "tax": anything,
    "tax_exempt": one_of("exempt", "none", "reverse"),
}

ROUTES = [
    route(
        "POST",
        "/v1/customers",
        create_customer,
        {**_FIELDS, "payment_method": text, "tax_id_data": TAX_ID_DATA, "test_clock": text},
    ),
    listing("/v1/customers", list_customers, {"email": text, "created": span, "test_clock": text}),
    route("GET", "/v1/customers/{}", retrieve_customer),
    route("POST", "/v1/customers/{}", update_customer, _FIELDS),
]
