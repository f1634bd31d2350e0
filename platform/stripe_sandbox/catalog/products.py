"""Products."""

from stripe_sandbox.catalog.pricing import PRICE_DATA, new_price
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    anything,
    boolean,
    hash_of,
    list_of,
    metadata,
    number,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, apply, merged_metadata, new_id, public
from stripe_sandbox.state.unit import Unit

_PLAIN = (
    "active", "description", "images", "marketing_features", "name", "package_dimensions",
    "shippable", "statement_descriptor", "tax_code", "unit_label", "url",
)  # fmt: skip


def new_product(unit: Unit, data: Document) -> Document:
    """A product from the parameters of its creation."""
    now = unit.now()
    product: Document = {
        "id": data.get("id") or new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": merged_metadata({}, data.get("metadata")),
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }
    _change(product, data)
    return product


def create_product(unit: Unit, params: Document) -> Document:
    """A product, and its default price if `default_price_data` describes one."""
    if unit.find("product", params.get("id")):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product = unit.add(new_product(unit, params), "product.created")
    if data := params.get("default_price_data"):
        price = new_price(unit, {**data, "product": product["id"]})
        product["default_price"] = unit.add(price, "price.created")["id"]
    return public(unit.update(product))


def _change(product: Document, params: Document) -> None:
    apply(product, params, _PLAIN)
    product["images"] = product["images"] or []
    product["marketing_features"] = product["marketing_features"] or []


def retrieve_product(unit: Unit, params: Document, identifier: str) -> Document:
    """One product."""
    return public(unit.need("product", identifier))


def update_product(unit: Unit, params: Document, identifier: str) -> Document:
    """Change what is sent, keep the rest."""
    product = unit.need("product", identifier)
    _change(product, params)
    if "default_price" in params:
        price = params["default_price"]
        if price and unit.need("price", price, "default_price")["product"] != identifier:
            raise invalid("The price does not belong to this product.", "default_price")
        product["default_price"] = price
    if "metadata" in params:
        product["metadata"] = merged_metadata(product["metadata"], params["metadata"])
    product["updated"] = unit.now()
    return public(unit.update(product, "product.updated"))


def delete_product(unit: Unit, params: Document, identifier: str) -> Document:
    """Only a product without prices can be deleted."""
    product = unit.need("product", identifier)
    if next(unit.every("price", owner=identifier), None):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    return unit.remove(product, "product.deleted")


def list_products(unit: Unit, params: Document) -> Document:
    """Newest first, by ids or by whether they are active."""
    return page(
        unit,
        "product",
        "/v1/products",
        params,
        only=lambda product: (
            params.get("active") in (None, product["active"])
            and (not params.get("ids") or product["id"] in params["ids"])
            and within(product["created"], params.get("created"))
        ),
    )


_FIELDS = {
    "active": boolean,
    "description": text,
    "images": list_of(text),
    "marketing_features": list_of(hash_of({"name": text})),
    "metadata": metadata,
    "name": text,
    "package_dimensions": hash_of(dict.fromkeys(("height", "length", "weight", "width"), number)),
    "shippable": boolean,
    "statement_descriptor": text,
    "tax_code": text,
    "tax_details": anything,
    "unit_label": text,
    "url": text,
}

ROUTES = [
    route(
        "POST",
        "/v1/products",
        create_product,
        {**_FIELDS, "id": text, "default_price_data": hash_of(PRICE_DATA), "type": text},
        ("name",),
    ),
    listing(
        "/v1/products",
        list_products,
        {"active": boolean, "ids": list_of(text), "created": span},
    ),
    route("GET", "/v1/products/{}", retrieve_product),
    route("POST", "/v1/products/{}", update_product, {**_FIELDS, "default_price": text}),
    route("DELETE", "/v1/products/{}", delete_product),
]
