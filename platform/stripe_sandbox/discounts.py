"""Discounts: coupons as they apply to the lines of a subscription's invoices."""

from collections.abc import Sequence
from fractions import Fraction

from stripe_sandbox.calendar import after
from stripe_sandbox.documents import Document, new_id
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import hash_of, list_of, text
from stripe_sandbox.prorations import rounded, spread
from stripe_sandbox.unit import Unit

DISCOUNTS = list_of(hash_of({"coupon": text, "discount": text, "promotion_code": text}))


def set_discounts(unit: Unit, subscription: Document, wanted: Sequence[Document] | None) -> None:
    """Replace the subscription's discounts: by coupon, promotion code, or one that it has."""
    kept = subscription["discounts"]
    subscription["discounts"] = []
    for index, entry in enumerate(wanted or []):
        param = f"discounts[{index}]"
        if (present := entry.get("discount")) and present in kept:
            subscription["discounts"].append(present)
        else:
            discount = _redeem(unit, subscription, entry, param)
            subscription["discounts"].append(discount["id"])


def _redeem(unit: Unit, subscription: Document, entry: Document, param: str) -> Document:
    code = None
    coupon_id = entry.get("coupon")
    if named := entry.get("promotion_code"):
        code = unit.need("promotion_code", named, f"{param}[promotion_code]")
        if not code["active"]:
            raise invalid("This promotion code cannot be redeemed.", f"{param}[promotion_code]")
        coupon_id = code["promotion"]["coupon"]
    coupon = unit.need("coupon", coupon_id or "", f"{param}[coupon]")
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon['id']}", f"{param}[coupon]", "coupon_expired")
    for redeemed in (coupon, code):
        if redeemed:
            _count_redemption(unit, redeemed)
    return unit.add(_new_discount(unit, subscription, coupon, code))


def _count_redemption(unit: Unit, redeemed: Document) -> None:
    redeemed["times_redeemed"] += 1
    most = redeemed["max_redemptions"]
    if most and redeemed["times_redeemed"] >= most:
        redeemed["valid" if redeemed["object"] == "coupon" else "active"] = False
    unit.update(redeemed)


def _new_discount(
    unit: Unit, subscription: Document, coupon: Document, code: Document | None
) -> Document:
    start = unit.now(subscription)
    months = coupon["duration_in_months"]
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": subscription["customer"],
        "customer_account": None,
        "end": after(start, "month", months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": code["id"] if code else None,
        "source": {"type": "coupon", "coupon": coupon["id"]},
        "start": start,
        "subscription": subscription["id"],
        "subscription_item": None,
    }


def discount_lines(unit: Unit, subscription: Document, lines: Sequence[Document]) -> None:
    """Take the subscription's discounts off its lines, one after the other.

    Prorations are not discounted again: credits give back what was paid in the end, and Stripe
    marks them `discountable=false`.
    """
    for identifier in list(subscription["discounts"]):
        found = _in_force(unit, subscription, identifier)
        if found is None:
            subscription["discounts"].remove(identifier)
            continue
        discount, coupon = found
        applicable = [line for line in lines if line["discountable"] and line["amount"] > 0]
        _take_off(applicable, discount, coupon)
        if coupon["duration"] == "once" and applicable:
            subscription["discounts"].remove(identifier)


def net_of_discounts(unit: Unit, subscription: Document, amounts: Sequence[int]) -> list[int]:
    """Amounts less the discounts that last: one that holds once waits for the next invoice."""
    lines = [{"amount": amount, "discount_amounts": [], "discounts": []} for amount in amounts]
    for identifier in subscription["discounts"]:
        found = _in_force(unit, subscription, identifier)
        if found and found[1]["duration"] != "once":
            _take_off(lines, *found)
    return [_left(line) for line in lines]


def _in_force(
    unit: Unit, subscription: Document, identifier: str
) -> tuple[Document, Document] | None:
    discount = unit.find("discount", identifier)
    coupon = unit.find("coupon", discount["source"]["coupon"]) if discount else None
    if discount is None or coupon is None or _is_over(unit, subscription, discount):
        return None
    return discount, coupon


def _left(line: Document) -> int:
    return int(line["amount"] - sum(part["amount"] for part in line["discount_amounts"]))


def _is_over(unit: Unit, subscription: Document, discount: Document) -> bool:
    return discount["end"] is not None and discount["end"] <= unit.now(subscription)


def _take_off(lines: Sequence[Document], discount: Document, coupon: Document) -> None:
    left = [_left(line) for line in lines]
    if coupon["percent_off"] is not None:
        percent = Fraction(str(coupon["percent_off"])) / 100
        amounts = [rounded(amount * percent) for amount in left]
    else:
        amounts = spread(min(coupon["amount_off"], sum(left)), left)
    for line, amount in zip(lines, amounts, strict=True):
        line["discount_amounts"].append({"amount": amount, "discount": discount["id"]})
        line["discounts"].append(discount["id"])
