"""The phases of a subscription schedule: read and checked, one after the other."""

from collections.abc import Sequence

from stripe_sandbox.catalog.discounts import DISCOUNTS
from stripe_sandbox.catalog.pricing import INTERVAL, PRICE_DATA
from stripe_sandbox.invoices.one_off_charges import charges_shape
from stripe_sandbox.passing_time.calendar import after
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    Shape,
    anything,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    moment,
    natural,
    one_of,
    text,
)
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.subscription_forms import PRORATION_BEHAVIOR
from stripe_sandbox.subscriptions.subscription_items import price_named

_NO_SETTINGS: Document = dict.fromkeys(
    ("account_tax_ids", "custom_fields", "days_until_due", "description", "footer", "issuer")
)


def new_phase(currency: str, start: int, finish: int, items: Sequence[Document]) -> Document:
    """A phase of these items from one time to another."""
    return {
        **blank("phase"),
        "currency": currency,
        "end_date": finish,
        "items": list(items),
        "start_date": start,
    }


def read_phases(
    unit: Unit, schedule: Document, wanted: Sequence[Document], start: int
) -> list[Document]:
    """Phases from parameters: each begins where the one before it ends. Raises 400."""
    phases: list[Document] = []
    for index, data in enumerate(wanted):
        param = f"phases[{index}]"
        now = unit.now(schedule)
        given = now if data.get("start_date") == "now" else data.get("start_date")
        if index and given is not None and given != start:
            raise invalid(
                "The start date of a phase must be the end date of the one before it.",
                f"{param}[start_date]",
            )
        if index == 0 and given is not None:
            start = given
        finish = _phase_end(unit, schedule, data, start, index, len(wanted))
        if finish <= start:
            raise invalid("The end date of a phase must be after its start.", f"{param}[end_date]")
        phases.append(_read_phase(unit, schedule, data, (start, finish), param))
        start = finish
    return phases


def _phase_end(
    unit: Unit, schedule: Document, data: Document, start: int, index: int, count: int
) -> int:
    given = data.get("end_date")
    if given == "now":
        return unit.now(schedule)
    if given is not None:
        return int(given)
    if duration := data.get("duration"):
        return after(start, duration["interval"], duration.get("interval_count") or 1)
    if index < count - 1:
        raise invalid(
            "You must specify either `duration` or `end_date` on each phase but the last.",
            f"phases[{index}][end_date]",
        )
    price = price_named(unit, data["items"][0], f"phases[{index}][items][0]")
    recurring = price["recurring"]
    return after(start, recurring["interval"], recurring["interval_count"])


def _read_phase(
    unit: Unit, schedule: Document, data: Document, bounds: tuple[int, int], param: str
) -> Document:
    prices, items = [], []
    for index, item in enumerate(data["items"]):
        price = price_named(unit, item, f"{param}[items][{index}]")
        quantity = 1 if item.get("quantity") is None else item["quantity"]
        described = {"metadata": item.get("metadata") or {}, "price": price, "quantity": quantity}
        prices.append(price)
        items.append(phase_item(described))
    currency = data.get("currency") or prices[0]["currency"]
    phase = new_phase(currency, *bounds, items)
    for name in ("billing_cycle_anchor", "collection_method", "default_payment_method",
                 "description"):  # fmt: skip
        phase[name] = data.get(name)
    phase["add_invoice_items"] = [_charge(charge) for charge in data.get("add_invoice_items") or []]
    phase["discounts"] = [
        {name: entry.get(name) for name in ("coupon", "discount", "promotion_code")}
        for entry in data.get("discounts") or []
    ]
    # An empty value is kept: on entering the phase it deletes the subscription's key.
    phase["metadata"] = dict(data.get("metadata") or {})
    phase["proration_behavior"] = data.get("proration_behavior") or "create_prorations"
    phase["trial_end"] = _trial_end(unit, schedule, data, bounds, param)
    if settings := data.get("invoice_settings"):
        phase["invoice_settings"] = {**_NO_SETTINGS, **settings}
    return phase


def _charge(data: Document) -> Document:
    period = data.get("period") or {}
    start, end = period.get("start"), period.get("end")
    return {
        "discountable": data.get("discountable"),
        "discounts": [],
        "metadata": data.get("metadata") or {},
        "period": {
            "start": {"timestamp": None, **(start or {"type": "max_item_period_start"})},
            "end": {"timestamp": None, **(end or {"type": "min_item_period_end"})},
        },
        "price": data.get("price"),
        "quantity": 1 if data.get("quantity") is None else data["quantity"],
        "tax_rates": [],
    }


def _trial_end(
    unit: Unit, schedule: Document, data: Document, bounds: tuple[int, int], param: str
) -> int | None:
    """`trial` is the whole phase; a trial that is over by the time of reading is none."""
    end = bounds[1] if data.get("trial") else data.get("trial_end")
    if end is None or end == "now":
        return None
    if not bounds[0] <= end <= bounds[1]:
        raise invalid("The trial must end within its phase.", f"{param}[trial_end]")
    return int(end)


def phase_item(item: Document) -> Document:
    """A subscription item as a schedule's phase lists it."""
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": dict(item["metadata"]),
        "plan": item["price"]["id"],
        "price": item["price"]["id"],
        "quantity": item["quantity"],
        "tax_rates": [],
    }


def follow_in_schedule(unit: Unit, subscription: Document) -> None:
    """A schedule's current phase holds what the subscription holds."""
    schedule = unit.find("subscription_schedule", subscription["schedule"])
    if schedule is None:
        return
    for phase in schedule["phases"]:
        if phase["start_date"] <= unit.now(subscription) < phase["end_date"]:
            phase["items"] = [phase_item(item) for item in subscription["items"]["data"]]
    unit.update(schedule, "subscription_schedule.updated")


INVOICE_SETTINGS = hash_of(
    {
        "account_tax_ids": anything,
        "custom_fields": anything,
        "days_until_due": integer,
        "description": text,
        "footer": text,
        "issuer": anything,
    }
)
PHASE: Shape = {
    "add_invoice_items": charges_shape("phase_start", "phase_end"),
    "automatic_tax": anything,
    "billing_cycle_anchor": one_of("automatic", "phase_start"),
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "currency": text,
    "default_payment_method": text,
    "default_tax_rates": anything,
    "description": text,
    "discounts": DISCOUNTS,
    "duration": hash_of({"interval": INTERVAL, "interval_count": natural}, ("interval",)),
    "end_date": moment("now"),
    "invoice_settings": INVOICE_SETTINGS,
    "items": list_of(
        hash_of(
            {
                "billing_thresholds": anything,
                "discounts": anything,
                "metadata": metadata,
                "price": text,
                "price_data": hash_of(PRICE_DATA, ("currency", "product", "recurring")),
                "quantity": natural,
                "tax_rates": anything,
            }
        )
    ),
    "metadata": metadata,
    "proration_behavior": PRORATION_BEHAVIOR,
    "start_date": moment("now"),
    "trial": boolean,
    "trial_end": moment("now"),
}
