"""Prices: what a product costs, once or per interval, per unit or by tiers."""

from stripe_sandbox.catalog.pricing import (
    CURRENCY_OPTIONS,
    INTERVAL,
    PRICE_DATA,
    TIER,
    add_currencies,
    new_price,
    plan_of,
)
from stripe_sandbox.catalog.products import new_product
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, public
from stripe_sandbox.state.unit import Unit


def create_price(unit: Unit, params: Document) -> Document:
    """A price of an existing product, or of one that `product_data` describes."""
    if data := params.get("product_data"):
        product = unit.add(new_product(unit, data), "product.created")
        params["product"] = product["id"]
    if not params.get("product"):
        raise invalid("Missing required param: product.", "product", "parameter_missing")
    if key := params.get("lookup_key"):
        _free_lookup_key(unit, key, transfer=bool(params.get("transfer_lookup_key")))
    return public(unit.add(new_price(unit, params), "price.created"))


def _free_lookup_key(unit: Unit, key: str, *, transfer: bool) -> None:
    for holder in list(unit.every("price", tag=key)):
        if not transfer:
            raise invalid(
                f"A price (`{holder['id']}`) already uses that lookup key.",
                "lookup_key",
                "resource_already_exists",
            )
        holder["lookup_key"] = None
        unit.update(holder, "price.updated")


def retrieve_price(unit: Unit, params: Document, identifier: str) -> Document:
    """One price."""
    return public(unit.need("price", identifier))


def update_price(unit: Unit, params: Document, identifier: str) -> Document:
    """Name, key, metadata and whether it is on offer; amounts never change."""
    price = unit.need("price", identifier)
    if (key := params.get("lookup_key")) and key != price["lookup_key"]:
        _free_lookup_key(unit, key, transfer=bool(params.get("transfer_lookup_key")))
    for name in ("active", "lookup_key", "nickname", "tax_behavior"):
        if name in params:
            price[name] = params[name]
    if "metadata" in params:
        price["metadata"] = merged_metadata(price["metadata"], params["metadata"])
    add_currencies(price, params.get("currency_options"))
    _refresh_items(unit, price)
    return public(unit.update(price, "price.updated"))


def _refresh_items(unit: Unit, price: Document) -> None:
    """Subscription items show their price as it is now."""
    for subscription in list(unit.every("subscription")):
        for item in subscription["items"]["data"]:
            if item["price"]["id"] == price["id"]:
                item.update(price=public(price), plan=plan_of(price))
        unit.update(subscription)


def list_prices(unit: Unit, params: Document) -> Document:
    """Newest first, by product, currency, kind, lookup keys or whether they are active."""
    recurring = params.get("recurring") or {}

    def passes(price: Document) -> bool:
        return (
            params.get("active") in (None, price["active"])
            and params.get("currency") in (None, price["currency"])
            and params.get("type") in (None, price["type"])
            and (not params.get("lookup_keys") or price["lookup_key"] in params["lookup_keys"])
            and within(price["created"], params.get("created"))
            and all((price["recurring"] or {}).get(k) == v for k, v in recurring.items())
        )

    return page(unit, "price", "/v1/prices", params, owner=params.get("product"), only=passes)


_CHANGEABLE = {
    "active": boolean,
    "currency_options": CURRENCY_OPTIONS,
    "lookup_key": text,
    "metadata": metadata,
    "nickname": text,
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
    "transfer_lookup_key": boolean,
}

ROUTES = [
    route(
        "POST",
        "/v1/prices",
        create_price,
        {
            **PRICE_DATA,
            **_CHANGEABLE,
            "billing_scheme": one_of("per_unit", "tiered"),
            "product_data": hash_of(
                {
                    "id": text,
                    "name": text,
                    "metadata": metadata,
                    "active": boolean,
                    "statement_descriptor": text,
                    "tax_code": text,
                    "unit_label": text,
                },
                ("name",),
            ),
            "tiers": list_of(hash_of(TIER, ("up_to",))),
            "tiers_mode": one_of("graduated", "volume"),
            "transform_quantity": hash_of(
                {"divide_by": integer, "round": one_of("down", "up")}, ("divide_by", "round")
            ),
        },
        ("currency",),
    ),
    listing(
        "/v1/prices",
        list_prices,
        {
            "active": boolean,
            "created": span,
            "currency": text,
            "lookup_keys": list_of(text),
            "product": text,
            "recurring": hash_of({"interval": INTERVAL, "meter": text, "usage_type": text}),
            "type": one_of("one_time", "recurring"),
        },
    ),
    route("GET", "/v1/prices/{}", retrieve_price),
    route("POST", "/v1/prices/{}", update_price, _CHANGEABLE),
]
