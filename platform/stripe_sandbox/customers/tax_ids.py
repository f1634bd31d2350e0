"""Tax ids: of customers, printed on their invoices, and of the account itself."""

from stripe_sandbox.customers.addressees import living_customer
from stripe_sandbox.customers.tax_id_types import (
    MAGIC,
    TYPES,
    VERIFIED_TYPES,
    country_of,
    is_well_formed,
)
from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.requests.forms import hash_of, list_of, one_of, text
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, new_id, public
from stripe_sandbox.state.unit import Unit


def add_tax_id(
    unit: Unit, customer: Document | None, kind: str, value: str, param: str = "value"
) -> Document:
    """A tax id as it is answered: a registry's verdict comes after the answer, as an update.

    Raises `tax_id_invalid` for a value that is not of its type's form.
    """
    if not is_well_formed(kind, value):
        raise invalid(f"Invalid value for {kind}.", param, "tax_id_invalid")
    owner = customer["id"] if customer else None
    tax_id: Document = {
        "id": new_id("txi"),
        "object": "tax_id",
        "country": country_of(kind, value),
        "created": unit.now(customer),
        "customer": owner,
        "customer_account": None,
        "livemode": False,
        "owner": {"type": "customer", "customer": owner} if customer else {"type": "self"},
        "type": kind,
        "value": value,
        "verification": _verification("pending" if kind in VERIFIED_TYPES else "unavailable")
        if customer
        else None,
    }
    unit.add(tax_id, "customer.tax_id.created" if customer else None)
    answered = public(tax_id)
    if customer and kind in VERIFIED_TYPES:
        _verify(unit, tax_id)
    return answered


def _verification(status: str, name: str | None = None, address: str | None = None) -> Document:
    return {"status": status, "verified_address": address, "verified_name": name}


def _verify(unit: Unit, tax_id: Document) -> None:
    """Stripe's magic values have a verdict each; for all others no registry can be asked here."""
    verdict = MAGIC.get(tax_id["value"][-9:], "unavailable")
    details = ("Sandbox company", "1 Sandbox street") if verdict == "verified" else ()
    tax_id["verification"] = _verification(verdict, *details)
    unit.update(tax_id, "customer.tax_id.updated")


def create_customers_tax_id(unit: Unit, params: Document, customer: str) -> Document:
    """A customer's tax id."""
    return add_tax_id(unit, living_customer(unit, customer), params["type"], params["value"])


def create_tax_id(unit: Unit, params: Document) -> Document:
    """The account's own tax id, or a customer's named as its owner."""
    owner = params.get("owner") or {"type": "self"}
    if owner["type"] == "customer":
        customer = living_customer(unit, owner.get("customer") or "", "owner[customer]")
        return add_tax_id(unit, customer, params["type"], params["value"])
    if owner["type"] != "self":
        raise invalid("Only the account itself and its customers own tax ids.", "owner[type]")
    return add_tax_id(unit, None, params["type"], params["value"])


def _of_customer(unit: Unit, customer: str, identifier: str) -> Document:
    living_customer(unit, customer)
    found = unit.find("tax_id", identifier)
    if found is None or found["customer"] != customer:
        raise missing("tax id", identifier)
    return found


def retrieve_customers_tax_id(
    unit: Unit, params: Document, customer: str, identifier: str
) -> Document:
    """One tax id of one customer."""
    return public(_of_customer(unit, customer, identifier))


def retrieve_tax_id(unit: Unit, params: Document, identifier: str) -> Document:
    """One tax id, whoever owns it."""
    return public(unit.need("tax_id", identifier))


def delete_customers_tax_id(
    unit: Unit, params: Document, customer: str, identifier: str
) -> Document:
    """Invoices that are finalized keep it."""
    return unit.remove(_of_customer(unit, customer, identifier), "customer.tax_id.deleted")


def delete_tax_id(unit: Unit, params: Document, identifier: str) -> Document:
    """As above, by its id alone."""
    tax_id = unit.need("tax_id", identifier)
    return unit.remove(tax_id, "customer.tax_id.deleted" if tax_id["customer"] else None)


def list_customers_tax_ids(unit: Unit, params: Document, customer: str) -> Document:
    """Newest first."""
    living_customer(unit, customer)
    return page(unit, "tax_id", f"/v1/customers/{customer}/tax_ids", params, owner=customer)


def list_tax_ids(unit: Unit, params: Document) -> Document:
    """The account's own, unless a customer is named as the owner."""
    owner = (params.get("owner") or {}).get("customer")
    return page(
        unit, "tax_id", "/v1/tax_ids", params, owner=owner,
        only=lambda tax_id: tax_id["customer"] == owner,
    )  # fmt: skip


_TYPE = one_of(*TYPES)
TAX_ID_DATA = list_of(hash_of({"type": _TYPE, "value": text}, ("type", "value")))
_OWNER = hash_of(
    {"type": one_of("account", "application", "customer", "self"), "customer": text}, ("type",)
)
_FIELDS = {"type": _TYPE, "value": text}
_REQUIRED = ("type", "value")

ROUTES = [
    route("POST", "/v1/customers/{}/tax_ids", create_customers_tax_id, _FIELDS, _REQUIRED),
    listing("/v1/customers/{}/tax_ids", list_customers_tax_ids),
    route("GET", "/v1/customers/{}/tax_ids/{}", retrieve_customers_tax_id),
    route("DELETE", "/v1/customers/{}/tax_ids/{}", delete_customers_tax_id),
    route("POST", "/v1/tax_ids", create_tax_id, {**_FIELDS, "owner": _OWNER}, _REQUIRED),
    listing("/v1/tax_ids", list_tax_ids, {"owner": _OWNER}),
    route("GET", "/v1/tax_ids/{}", retrieve_tax_id),
    route("DELETE", "/v1/tax_ids/{}", delete_tax_id),
]
