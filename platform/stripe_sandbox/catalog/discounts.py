"""Discounts: coupons as they apply to the lines of invoices."""

from collections.abc import Sequence
from fractions import Fraction

from stripe_sandbox.catalog.redemptions import amount_off, redeem
from stripe_sandbox.requests.forms import hash_of, list_of, text
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import rounded, spread
from stripe_sandbox.subscriptions.subscription_items import full_amount

DISCOUNTS = list_of(hash_of({"coupon": text, "discount": text, "promotion_code": text}))


def set_discounts(unit: Unit, subscription: Document, wanted: Sequence[Document] | None) -> None:
    """Replace the subscription's discounts: by coupon, promotion code, or one that it has."""
    order = sum(full_amount(item) for item in subscription["items"]["data"])
    _replace(unit, subscription, wanted, order)


def discount_invoice(unit: Unit, invoice: Document, wanted: Sequence[Document] | None) -> None:
    """Replace a draft's own discounts, and take them off its lines; the caller sums it up."""
    lines = invoice["_lines"]
    _replace(unit, invoice, wanted, sum(line["amount"] for line in lines))
    take_off_lines(unit, invoice)


def take_off_lines(unit: Unit, invoice: Document) -> None:
    """Discount the lines of a draft anew, by the discounts that the invoice has itself."""
    lines = invoice["_lines"]
    for line in lines:
        line.update(discount_amounts=[], discounts=[])
    for identifier in invoice["discounts"]:
        if found := _in_force(unit, invoice, identifier):
            _take_off([line for line in lines if _applies(line, found[1])], *found)


def _replace(unit: Unit, bearer: Document, wanted: Sequence[Document] | None, order: int) -> None:
    kept = bearer["discounts"]
    bearer["discounts"] = []
    for index, entry in enumerate(wanted or []):
        present = entry.get("discount")
        if not present or present not in kept:
            present = redeem(unit, bearer, entry, f"discounts[{index}]", order)["id"]
        bearer["discounts"].append(present)
    for identifier in [each for each in kept if each not in bearer["discounts"]]:
        if discount := unit.find("discount", identifier):
            unit.emit("customer.discount.deleted", discount)


def discount_lines(unit: Unit, subscription: Document, lines: Sequence[Document]) -> None:
    """Take the subscription's discounts off its lines, one after the other.

    Prorations are not discounted again: credits give back what was paid in the end, and Stripe
    marks them `discountable=false`.
    """
    for identifier in list(subscription["discounts"]):
        found = _in_force(unit, subscription, identifier)
        if found is None:
            _drop(unit, subscription, identifier)
            continue
        discount, coupon = found
        applicable = [line for line in lines if _applies(line, coupon)]
        _take_off(applicable, discount, coupon)
        if coupon["duration"] == "once" and applicable:
            _drop(unit, subscription, identifier)


def net_of_discounts(unit: Unit, subscription: Document, items: Sequence[Document]) -> list[int]:
    """What items cost for a whole period less the discounts that last.

    One that holds once waits for the next invoice.
    """
    lines: list[Document] = [
        {
            "amount": full_amount(item),
            "currency": subscription["currency"],
            "discount_amounts": [],
            "discountable": True,
            "discounts": [],
            "pricing": {"price_details": {"product": item["price"]["product"]}},
        }
        for item in items
    ]
    for identifier in subscription["discounts"]:
        found = _in_force(unit, subscription, identifier)
        if found and found[1]["duration"] != "once":
            _take_off([line for line in lines if _applies(line, found[1])], *found)
    return [_left(line) for line in lines]


def forget_those_over(unit: Unit, subscription: Document, moment: int) -> None:
    """Drop the discounts that will be over at a time to come, which is previewed."""
    found = {each: unit.find("discount", each) for each in subscription["discounts"]}
    subscription["discounts"] = [
        each
        for each, discount in found.items()
        if discount and (discount["end"] is None or discount["end"] > moment)
    ]


def _drop(unit: Unit, bearer: Document, identifier: str) -> None:
    """A discount that is used up, over or taken away; the caller saves its bearer."""
    bearer["discounts"].remove(identifier)
    if discount := unit.find("discount", identifier):
        unit.emit("customer.discount.deleted", discount)


def _in_force(
    unit: Unit, subscription: Document, identifier: str
) -> tuple[Document, Document] | None:
    discount = unit.find("discount", identifier)
    coupon = unit.find("coupon", discount["source"]["coupon"]) if discount else None
    if discount is None or coupon is None or _is_over(unit, subscription, discount):
        return None
    return discount, coupon


def _applies(line: Document, coupon: Document) -> bool:
    """Whether a coupon may be taken off a line: credits and prorations it leaves alone."""
    products = (coupon["_applies_to"] or {}).get("products")
    product = ((line["pricing"] or {}).get("price_details") or {}).get("product")
    return line["discountable"] and line["amount"] > 0 and (not products or product in products)


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
        currency = lines[0]["currency"] if lines else ""
        amounts = spread(min(amount_off(coupon, currency), sum(left)), left)
    for line, amount in zip(lines, amounts, strict=True):
        line["discount_amounts"].append({"amount": amount, "discount": discount["id"]})
        line["discounts"].append(discount["id"])
