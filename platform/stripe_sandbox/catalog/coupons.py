"""Coupons: percent or amount off, once, for some months, or for ever."""

from typing import Any

from stripe_sandbox.catalog.redemptions import is_valid
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    hash_of,
    integer,
    list_of,
    map_of,
    metadata,
    natural,
    number,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, new_token, public
from stripe_sandbox.state.unit import Unit


def create_coupon(unit: Unit, params: Document) -> Document:
    """What it takes off, for how long, and who may still redeem it until when."""
    _check(params, unit.now())
    identifier = params.get("id") or new_token(8)
    if unit.find("coupon", identifier):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    for index, product in enumerate((params.get("applies_to") or {}).get("products") or []):
        unit.need("product", product, f"applies_to[products][{index}]")
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
        "_applies_to": params.get("applies_to"),
        "_currency_options": params.get("currency_options"),
    }
    return shown(unit, unit.add(coupon, "coupon.created"))


def _check(params: Document, now: int) -> None:
    percent, amount = params.get("percent_off"), params.get("amount_off")
    if (percent is None) == (amount is None):
        raise invalid("You must pass exactly one of `percent_off` and `amount_off`.", "percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise invalid("percent_off must be greater than 0 and at most 100.", "percent_off")
    if amount is not None and amount < 1:
        raise invalid("Invalid positive integer", "amount_off", "parameter_invalid_integer")
    if amount is not None and not params.get("currency"):
        message = "You must pass currency when passing amount_off"
        raise invalid(message, "currency", "parameter_missing")
    repeats = params.get("duration") == "repeating"
    if repeats != (params.get("duration_in_months") is not None):
        raise invalid(
            "You must pass duration_in_months if and only if duration is repeating.",
            "duration_in_months",
        )
    if (until := params.get("redeem_by")) is not None and until <= now:
        raise invalid("The redeem_by timestamp must be in the future.", "redeem_by")


def shown(unit: Unit, coupon: Document) -> Document:
    """A coupon as the API shows it now: time alone may have made it invalid."""
    return {**public(coupon), "valid": is_valid(coupon, unit.now())}


def retrieve_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """One coupon."""
    return shown(unit, unit.need("coupon", identifier))


def update_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """Name, metadata and further currencies: what it takes off never changes."""
    coupon = unit.need("coupon", identifier)
    if "name" in params:
        coupon["name"] = params["name"]
    if "metadata" in params:
        coupon["metadata"] = merged_metadata(coupon["metadata"], params["metadata"])
    if more := params.get("currency_options"):
        coupon["_currency_options"] = {**more, **(coupon["_currency_options"] or {})}
    return shown(unit, unit.update(coupon, "coupon.updated"))


def delete_coupon(unit: Unit, params: Document, identifier: str) -> Document:
    """No new redemptions; who has it loses it at the next invoice."""
    return unit.remove(unit.need("coupon", identifier), "coupon.deleted")


def list_coupons(unit: Unit, params: Document) -> Document:
    """Newest first."""
    found = page(
        unit, "coupon", "/v1/coupons", params,
        only=lambda coupon: within(coupon["created"], params.get("created")),
    )  # fmt: skip
    found["data"] = [shown(unit, coupon) for coupon in found["data"]]
    return found


def _currencies(raw: Any, param: str) -> Document | None:
    options: Document | None = map_of(hash_of({"amount_off": natural}, ("amount_off",)))(raw, param)
    return {name.lower(): option for name, option in (options or {}).items()}


ROUTES = [
    route(
        "POST",
        "/v1/coupons",
        create_coupon,
        {
            "amount_off": integer,
            "applies_to": hash_of({"products": list_of(text)}),
            "currency": text,
            "currency_options": _currencies,
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
    route(
        "POST",
        "/v1/coupons/{}",
        update_coupon,
        {"currency_options": _currencies, "metadata": metadata, "name": text},
    ),
    route("DELETE", "/v1/coupons/{}", delete_coupon),
]
