"""Subscription items: a price, a quantity and the period that is paid for."""

from collections.abc import Sequence
from typing import NamedTuple

from stripe_sandbox.catalog.pricing import amount_for, new_price, plan_of, tariff
from stripe_sandbox.passing_time.calendar import Period, period_around
from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import part


class ItemChange(NamedTuple):
    """An item before and after a change; None is an item that was not, or is no longer, there."""

    before: Document | None
    after: Document | None

    @property
    def matters(self) -> bool:
        """Whether price or quantity changed."""
        before, after = self.before, self.after
        if before is None or after is None:
            return True
        return (before["price"]["id"], before["quantity"]) != (
            after["price"]["id"],
            after["quantity"],
        )

    @property
    def changes_interval(self) -> bool:
        """Whether the item is billed at another rhythm than before."""
        if self.before is None or self.after is None:
            return False
        return rhythm(self.before) != rhythm(self.after)


def rhythm(item: Document) -> tuple[str, int]:
    """Interval and count."""
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def period_at(anchor: int, item: Document, moment: int) -> Period:
    """The item's whole billing period around a moment."""
    return period_around(anchor, *rhythm(item), moment)


def billed_period(subscription: Document, item: Document, moment: int) -> Period:
    """The period around a moment as far as it is billed: up to the subscription's planned end."""
    whole = period_at(subscription["billing_cycle_anchor"], item, moment)
    end = subscription["cancel_at"]
    return Period(whole.start, end) if end and moment < end < whole.end else whole


def amount_of(subscription: Document, item: Document, period: Period) -> int:
    """What the item costs for its period, which may be a part of a whole one."""
    whole = period_at(subscription["billing_cycle_anchor"], item, period.start)
    return part(full_amount(item), whole, period)


def full_amount(item: Document) -> int:
    """What the item costs for a whole period."""
    return amount_for(item["_tariff"], item["quantity"])


def price_named(unit: Unit, data: Document, param: str) -> Document:
    """The recurring price that an item names, or describes in `price_data`."""
    if described := data.get("price_data"):
        price = unit.add(new_price(unit, described))
    elif named := data.get("price"):
        price = unit.need("price", named, f"{param}[price]")
    else:
        raise invalid(f"Missing required param: {param}[price].", param, "parameter_missing")
    if not price["recurring"]:
        raise invalid(
            f"The price specified is set to `type=one_time` but this field only accepts prices "
            f"with `type=recurring`: {price['id']}",
            f"{param}[price]",
        )
    if not price["active"]:
        raise invalid(
            f"The price specified is inactive. This field only accepts active prices: "
            f"{price['id']}",
            f"{param}[price]",
        )
    return price


def new_item(
    subscription: Document, data: Document, price: Document, created: int, param: str
) -> Document:
    """An item without a period yet."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": merged_metadata({}, data.get("metadata")),
        "plan": plan_of(price),
        "price": public(price),
        "quantity": 1 if data.get("quantity") is None else data["quantity"],
        "subscription": subscription["id"],
        "tax_rates": [],
        "_tariff": tariff(price, subscription["currency"], f"{param}[price]"),
    }


def billed_price(item: Document) -> Document:
    """The price of an item with its amounts in the subscription's currency."""
    return {**item["price"], **item["_tariff"]}


def check_together(items: Sequence[Document]) -> None:
    """No price twice."""
    prices = [item["price"]["id"] for item in items]
    for price in prices:
        if prices.count(price) > 1:
            raise invalid(
                f"Cannot add multiple subscription items with the same plan: {price}", "items"
            )


def changed_items(
    unit: Unit, subscription: Document, changes: Sequence[Document], now: int
) -> list[ItemChange]:
    """Work out what a list of `items` parameters makes of the subscription's items."""
    present = {item["id"]: item for item in subscription["items"]["data"]}
    result = {identifier: ItemChange(item, item) for identifier, item in present.items()}
    for index, change in enumerate(changes):
        param = f"items[{index}]"
        identifier = change.get("id")
        if identifier and identifier not in present:
            raise missing("subscription_item", identifier, f"{param}[id]")
        if identifier and change.get("deleted"):
            result[identifier] = ItemChange(present[identifier], None)
        elif identifier:
            before = present[identifier]
            result[identifier] = ItemChange(
                before, _altered(unit, before, change, subscription["currency"], param)
            )
        else:
            price = price_named(unit, change, param)
            added = new_item(subscription, change, price, now, param)
            result[added["id"]] = ItemChange(None, added)
    remaining = [change.after for change in result.values() if change.after]
    if not remaining:
        raise invalid("A subscription must have at least one active plan.", "items")
    check_together(remaining)
    return list(result.values())


def _altered(unit: Unit, before: Document, change: Document, currency: str, param: str) -> Document:
    after = dict(before)
    if change.get("price") or change.get("price_data"):
        same = change.get("price") == before["price"]["id"]
        price = before["price"] if same else price_named(unit, change, param)
        if not same:
            found = tariff(price, currency, f"{param}[price]")
            after.update(price=public(price), plan=plan_of(price), _tariff=found)
    if change.get("quantity") is not None:
        after["quantity"] = change["quantity"]
    if "metadata" in change:
        after["metadata"] = merged_metadata(before["metadata"], change["metadata"])
    return after


def set_period(item: Document, period: Period) -> None:
    """The period that the item is now in."""
    item["current_period_start"], item["current_period_end"] = period
