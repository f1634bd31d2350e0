"""One-off charges that a subscription's next invoice takes along: `add_invoice_items`."""

from stripe_sandbox.catalog.discounts import DISCOUNTS
from stripe_sandbox.catalog.pricing import PRICE_DATA, amount_for, new_price, tariff
from stripe_sandbox.invoices.invoice_items import new_invoice_item
from stripe_sandbox.invoices.invoice_lines import pricing_of
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    Reader,
    anything,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    one_of,
    text,
)
from stripe_sandbox.state.documents import Document, merged_metadata
from stripe_sandbox.state.unit import Unit


def add_charges(unit: Unit, subscription: Document, wanted: list[Document] | None) -> None:
    """Pending items for the next invoice, whichever that is.

    In flexible billing they bring about no invoice of their own
    (https://docs.stripe.com/billing/subscriptions/billing-mode/compare).
    """
    for index, data in enumerate(wanted or []):
        _add_charge(unit, subscription, data, f"add_invoice_items[{index}]")


def _add_charge(unit: Unit, subscription: Document, data: Document, param: str) -> None:
    price = _price(unit, data, param)
    terms = tariff(price, subscription["currency"], f"{param}[price]")
    customer = unit.need("customer", subscription["customer"])
    quantity = 1 if data.get("quantity") is None else data["quantity"]
    amount = amount_for(terms, quantity)
    item = new_invoice_item(unit, customer, subscription["currency"], amount)
    period = _period(subscription, data.get("period") or {}, item["date"])
    product = unit.find("product", price["product"])
    item.update(
        description=product["name"] if product else None,
        discountable=data.get("discountable") is not False,
        metadata=merged_metadata({}, data.get("metadata")),
        parent={
            "type": "subscription_details",
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": None,
            },
        },
        period={"start": period.start, "end": period.end},
        pricing=pricing_of({**price, **terms}),
        quantity=quantity,
        quantity_decimal=str(quantity),
    )
    unit.add(item, "invoiceitem.created")


def _price(unit: Unit, data: Document, param: str) -> Document:
    if described := data.get("price_data"):
        return unit.add(new_price(unit, described))
    price = unit.need("price", data.get("price") or "", f"{param}[price]")
    if price["recurring"]:
        raise invalid(
            "The price specified is set to `type=recurring` but this field only accepts prices "
            f"with `type=one_time`: {price['id']}",
            f"{param}[price]",
        )
    return price


def _period(subscription: Document, wanted: Document, now: int) -> Period:
    """The stretch of time that a charge is for: the items' period unless told otherwise."""
    items = subscription["items"]["data"]
    start = wanted.get("start") or {"type": "max_item_period_start"}
    end = wanted.get("end") or {"type": "min_item_period_end"}
    times = {
        "max_item_period_start": max(item["current_period_start"] for item in items),
        "min_item_period_end": min(item["current_period_end"] for item in items),
        "now": now,
    }
    return Period(*(int(times.get(side["type"]) or side["timestamp"]) for side in (start, end)))


def charges_shape(start: str, end: str | None = None) -> Reader:
    """The reader of `add_invoice_items`; the words are what else their periods may begin or end
    with."""
    starts = one_of("max_item_period_start", "timestamp", start)
    ends = one_of("min_item_period_end", "timestamp", *([end] if end else []))
    bounds = {"start": starts, "end": ends}
    period = {
        side: hash_of({"timestamp": integer, "type": kinds}, ("type",))
        for side, kinds in bounds.items()
    }
    return list_of(
        hash_of(
            {
                "discountable": boolean,
                "discounts": DISCOUNTS,
                "metadata": metadata,
                "period": hash_of(period),
                "price": text,
                "price_data": hash_of(PRICE_DATA, ("currency", "product")),
                "quantity": natural,
                "tax_rates": anything,
            }
        )
    )


CHARGES = charges_shape("now")
