"""Promotion codes: what customers type to redeem a coupon, and who may."""

from typing import Any

from stripe_sandbox.catalog.redemptions import is_valid
from stripe_sandbox.customers.addressees import living_customer
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    boolean,
    hash_of,
    integer,
    map_of,
    metadata,
    natural,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, new_token, public
from stripe_sandbox.state.unit import Unit


def create_promotion_code(unit: Unit, params: Document) -> Document:
    """A code that customers can type; upper and lower case are the same."""
    coupon = unit.need("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    if not is_valid(coupon, unit.now()):
        raise invalid(f"Coupon expired: {coupon['id']}", "promotion[coupon]", "coupon_expired")
    if customer := params.get("customer"):
        living_customer(unit, customer, "customer")
    code = (params.get("code") or new_token(8)).upper()
    _check_free(unit, code)
    most = params.get("max_redemptions")
    if most and coupon["max_redemptions"] and most > coupon["max_redemptions"]:
        raise invalid(
            "max_redemptions cannot be greater than the coupon's max_redemptions.",
            "max_redemptions",
        )
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
        "max_redemptions": most,
        "metadata": merged_metadata({}, params.get("metadata")),
        "promotion": {"type": "coupon", "coupon": coupon["id"]},
        "restrictions": _restrictions(params.get("restrictions") or {}),
        "times_redeemed": 0,
    }
    return public(unit.add(promotion_code, "promotion_code.created"))


def _check_free(unit: Unit, code: str) -> None:
    if any(other["active"] for other in unit.every("promotion_code", tag=code)):
        raise invalid(
            f"An active promotion code with `code: {code}` already exists.",
            "code",
            "resource_already_exists",
        )


def _restrictions(wanted: Document) -> Document:
    currency = (wanted.get("minimum_amount_currency") or "").lower() or None
    if (wanted.get("minimum_amount") is None) != (currency is None):
        raise invalid(
            "You must pass both of minimum_amount and minimum_amount_currency, or neither.",
            "restrictions[minimum_amount_currency]",
        )
    found: Document = {
        "first_time_transaction": bool(wanted.get("first_time_transaction")),
        "minimum_amount": wanted.get("minimum_amount"),
        "minimum_amount_currency": currency,
    }
    if options := wanted.get("currency_options"):
        found["currency_options"] = options
    return found


def retrieve_promotion_code(unit: Unit, params: Document, identifier: str) -> Document:
    """One promotion code."""
    return public(unit.need("promotion_code", identifier))


def update_promotion_code(unit: Unit, params: Document, identifier: str) -> Document:
    """Switch it on or off, or change its metadata or the currencies of its minimum."""
    code = unit.need("promotion_code", identifier)
    active = params.get("active")
    if active and not code["active"]:
        _check_free(unit, code["code"])
    if active is not None:
        code["active"] = active
    if "metadata" in params:
        code["metadata"] = merged_metadata(code["metadata"], params["metadata"])
    if options := (params.get("restrictions") or {}).get("currency_options"):
        kept = code["restrictions"].get("currency_options") or {}
        code["restrictions"]["currency_options"] = {**kept, **options}
    return public(unit.update(code, "promotion_code.updated"))


def list_promotion_codes(unit: Unit, params: Document) -> Document:
    """Newest first, by code, coupon, customer or whether they are active."""
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
            and within(found["created"], params.get("created"))
        ),
    )


def _minimums(raw: Any, param: str) -> Document | None:
    options: Document | None = map_of(hash_of({"minimum_amount": natural}))(raw, param)
    return {name.lower(): option for name, option in (options or {}).items()}


ROUTES = [
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
            "restrictions": hash_of(
                {
                    "currency_options": _minimums,
                    "first_time_transaction": boolean,
                    "minimum_amount": natural,
                    "minimum_amount_currency": text,
                }
            ),
        },
        ("promotion",),
    ),
    listing(
        "/v1/promotion_codes",
        list_promotion_codes,
        {"active": boolean, "code": text, "coupon": text, "created": span, "customer": text},
    ),
    route("GET", "/v1/promotion_codes/{}", retrieve_promotion_code),
    route(
        "POST",
        "/v1/promotion_codes/{}",
        update_promotion_code,
        {
            "active": boolean,
            "metadata": metadata,
            "restrictions": hash_of({"currency_options": _minimums}),
        },
    ),
]
