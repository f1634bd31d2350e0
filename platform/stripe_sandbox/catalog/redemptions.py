"""Redeeming: whether a coupon or promotion code may be used, and the discount that comes of it."""

from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.passing_time.calendar import after
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.documents import Document, new_id
from stripe_sandbox.state.unit import Unit


def redeem(unit: Unit, bearer: Document, entry: Document, param: str, order: int) -> Document:
    """The discount of a subscription or invoice from a coupon or promotion code.

    `order` is what is bought, in minor units. Raises 400 for what may not be redeemed.
    """
    now = unit.now(bearer)
    code, coupon_id = None, entry.get("coupon")
    if named := entry.get("promotion_code"):
        param = f"{param}[promotion_code]"
        code = unit.need("promotion_code", named, param)
        _check_code(unit, code, bearer, order, param)
        coupon_id = code["promotion"]["coupon"]
    else:
        param = f"{param}[coupon]"
    coupon = unit.need("coupon", coupon_id or "", param)
    _check_coupon(coupon, bearer["currency"], now, param)
    for redeemed in (coupon, code):
        if redeemed:
            _count(unit, redeemed)
    return unit.add(_discount(bearer, coupon, code, now), "customer.discount.created")


def is_valid(coupon: Document, now: int) -> bool:
    """Whether a coupon can still be redeemed at a time."""
    most, until = coupon["max_redemptions"], coupon["redeem_by"]
    return not (most and coupon["times_redeemed"] >= most) and not (until and until <= now)


def amount_off(coupon: Document, currency: str) -> int:
    """What a coupon takes off in a currency, in minor units; nothing in one it does not have."""
    options = coupon["_currency_options"] or {}
    if currency in options:
        return int(options[currency]["amount_off"])
    return int(coupon["amount_off"]) if coupon["currency"] == currency else 0


def _check_coupon(coupon: Document, currency: str, now: int, param: str) -> None:
    most = coupon["max_redemptions"]
    if most and coupon["times_redeemed"] >= most:
        message = f"Coupon {coupon['id']} is used up and cannot be applied."
        raise invalid(message, param, "coupon_expired")
    if not is_valid(coupon, now):
        raise invalid(f"Coupon expired: {coupon['id']}", param, "coupon_expired")
    if coupon["percent_off"] is None and not amount_off(coupon, currency):
        raise invalid(
            f"The coupon {coupon['id']} takes off {coupon['currency'].upper()} and cannot be "
            f"applied to {currency.upper()}.",
            param,
        )


def _check_code(unit: Unit, code: Document, bearer: Document, order: int, param: str) -> None:
    customer = bearer["customer"]
    if not code["active"] or (code["expires_at"] and code["expires_at"] <= unit.now(bearer)):
        raise invalid("This promotion code is inactive or has expired.", param)
    if code["customer"] not in (None, customer):
        raise invalid("This promotion code cannot be redeemed by the associated customer.", param)
    restrictions = code["restrictions"]
    if restrictions["first_time_transaction"] and _has_bought(unit, customer):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior "
            "transactions.",
            param,
        )
    least = minimum_amount(restrictions, bearer["currency"])
    if least is not None and order < least:
        raise invalid(
            "This promotion code cannot be redeemed because the order does not reach the minimum "
            f"amount of {money(least, bearer['currency'])}.",
            param,
        )


def minimum_amount(restrictions: Document, currency: str) -> int | None:
    """The least order of a promotion code in a currency, in minor units; None for any."""
    options = restrictions.get("currency_options") or {}
    if currency in options:
        return int(options[currency]["minimum_amount"])
    if restrictions["minimum_amount_currency"] == currency:
        return int(restrictions["minimum_amount"])
    return None


def _has_bought(unit: Unit, customer: str) -> bool:
    """https://docs.stripe.com/billing/subscriptions/coupons#first-time-customers: a payment that
    succeeded, or an invoice that was not voided."""
    charges = unit.every("charge", owner=customer)
    if any(charge["status"] == "succeeded" for charge in charges):
        return True
    invoices = unit.every("invoice", owner=customer)
    return any(invoice["status"] not in ("draft", "void") for invoice in invoices)


def _count(unit: Unit, redeemed: Document) -> None:
    redeemed["times_redeemed"] += 1
    most = redeemed["max_redemptions"]
    if most and redeemed["times_redeemed"] >= most:
        redeemed["valid" if redeemed["object"] == "coupon" else "active"] = False
    unit.update(redeemed)


def _discount(bearer: Document, coupon: Document, code: Document | None, now: int) -> Document:
    months = coupon["duration_in_months"]
    kind = bearer["object"]
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": bearer["customer"],
        "customer_account": None,
        "end": after(now, "month", months) if months else None,
        "invoice": bearer["id"] if kind == "invoice" else None,
        "invoice_item": None,
        "promotion_code": code["id"] if code else None,
        "source": {"type": "coupon", "coupon": coupon["id"]},
        "start": now,
        "subscription": bearer["id"] if kind == "subscription" else None,
        "subscription_item": None,
    }
