"""Coupons and the promotion codes that customers type to redeem them."""

from stripe_sandbox.documents import Document, merged_metadata, new_id, new_token, public
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import (
    anything,
    boolean,
    hash_of,
    integer,
    metadata,
    number,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.lists import page
from stripe_sandbox.routing import listing, route
from stripe_sandbox.unit import Unit


def create_coupon(unit: Unit, params: Document) -> Document:
    """Percent or amount off, once, for some months, or for ever."""
    if (params.get("percent_off") is None) == (params.get("amount_off") is None):
        raise invalid("You must pass either percent_off or amount_off.", "percent_off")
    identifier = params.get("id") or new_token(8)
    if unit.find("coupon", identifier):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    coupon: Document = {
        "id": identifier,
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": unit.now(),
        "currency": (params.get("currency") or "").lower() or None,
        "duration": params.get("duration") or "once",
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    return public(unit.add(coupon, "coupon.created"))


def retrieve_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """One coupon."""
    return public(unit.need("coupon", identifier))


def update_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """Name and metadata only: what it takes off never changes."""
    coupon = unit.need("coupon", identifier)
    if "name" in params:
        coupon["name"] = params["name"]
    if "metadata" in params:
        coupon["metadata"] = merged_metadata(coupon["metadata"], params["metadata"])
    return public(unit.update(coupon, "coupon.updated"))


def delete_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """No new redemptions; who has it loses it at the next invoice."""
    return unit.remove(unit.need("coupon", identifier), "coupon.deleted")


def list_coupons(unit: Unit, params: Document) -> Document:
    """Newest first."""
    return page(
        unit, "coupon", "/v1/coupons", params,
        only=lambda coupon: within(coupon["created"], params.get("created")),
    )  # fmt: skip


def create_promotion_code(unit: Unit, params: Document) -> Document:
    """A code that customers can type; upper and lower case are the same."""
    coupon = unit.need("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    code = (params.get("code") or new_token(8)).upper()
    if any(other["active"] for other in unit.every("promotion_code", tag=code)):
        raise invalid("An active promotion code with that `code` already exists.", "code")
    promotion_code: Document = {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": params.get("active") is not False,
        "code": code,
        "created": unit.now(),
        "customer": params.get("customer"),
        "customer_account": None,
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "promotion": {"type": "coupon", "coupon": coupon["id"]},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
    }
    return public(unit.add(promotion_code, "promotion_code.created"))


def retrieve_promotion_code(unit: Unit, params: Document, identifier: str) -> Document:
    """One promotion code."""
    return public(unit.need("promotion_code", identifier))


def update_promotion_code(unit: Unit, params: Document, identifier: str) -> Document:
    """Switch it on or off, or change its metadata."""
    code = unit.need("promotion_code", identifier)
    if params.get("active") is not None:
        code["active"] = params["active"]
    if "metadata" in params:
        code["metadata"] = merged_metadata(code["metadata"], params["metadata"])
    return public(unit.update(code, "promotion_code.updated"))


def list_promotion_codes(unit: Unit, params: Document) -> Document:
    """Newest first, by code, coupon or whether they are active."""
    code = params.get("code")
    return page(
        unit,
        "promotion_code",
        "/v1/promotion_codes",
        params,
        owner=params.get("coupon"),
        tag=code.upper() if code else None,
        only=lambda found: (
            params.get("active") in (None, found["active"])
            and params.get("customer") in (None, found["customer"])
        ),
    )


ROUTES = [
    route(
        "POST",
        "/v1/coupons",
        create_coupon,
        {
            "amount_off": integer,
            "currency": text,
            "duration": one_of("forever", "once", "repeating"),
            "duration_in_months": integer,
            "id": text,
            "max_redemptions": integer,
            "metadata": metadata,
            "name": text,
            "percent_off": number,
            "redeem_by": integer,
        },
    ),
    listing("/v1/coupons", list_coupons, {"created": span}),
    route("GET", "/v1/coupons/{}", retrieve_coupon),
    route("POST", "/v1/coupons/{}", update_coupon, {"metadata": metadata, "name": text}),
    route("DELETE", "/v1/coupons/{}", delete_coupon),
    route(
        "POST",
        "/v1/promotion_codes",
        create_promotion_code,
        {
            "active": boolean,
            "code": text,
            "customer": text,
            "expires_at": integer,
            "max_redemptions": integer,
            "metadata": metadata,
            "promotion": hash_of({"type": one_of("coupon"), "coupon": text}, ("coupon",)),
            "restrictions": anything,
        },
        ("promotion",),
    ),
    listing(
        "/v1/promotion_codes",
        list_promotion_codes,
        {"active": boolean, "code": text, "coupon": text, "customer": text, "created": span},
    ),
    route("GET", "/v1/promotion_codes/{}", retrieve_promotion_code),
    route(
        "POST", "/v1/promotion_codes/{}", update_promotion_code,
        {"active": boolean, "metadata": metadata},
    ),
]  # fmt: skip
