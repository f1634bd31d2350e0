"""The phases of a subscription schedule: read, checked, and turned into changes."""

from collections.abc import Sequence

from stripe_sandbox.blanks import blank
from stripe_sandbox.calendar import after
from stripe_sandbox.documents import Document, merged_metadata
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import (
    Shape,
    anything,
    boolean,
    hash_of,
    list_of,
    metadata,
    moment,
    natural,
    one_of,
    text,
)
from stripe_sandbox.pricing import INTERVAL
from stripe_sandbox.subscription_forms import PRORATION_BEHAVIOR
from stripe_sandbox.subscription_items import price_named
from stripe_sandbox.unit import Unit


def new_phase(currency: str, start: int, finish: int, items: Sequence[Document]) -> Document:
    """A phase of these items from one time to another."""
    return {
        **blank("phase"),
        "currency": currency,
        "end_date": finish,
        "items": list(items),
        "start_date": start,
    }


def read_phases(unit: Unit, schedule: Document, wanted: Sequence[Document]) -> list[Document]:
    """Phases from parameters: each begins where the one before it ends. Raises 400."""
    phases: list[Document] = []
    start = schedule["phases"][0]["start_date"]
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
    items = []
    for index, item in enumerate(data["items"]):
        price = price_named(unit, item, f"{param}[items][{index}]")
        quantity = 1 if item.get("quantity") is None else item["quantity"]
        described = {"metadata": item.get("metadata") or {}, "price": price, "quantity": quantity}
        items.append(phase_item(described))
    phase = new_phase(schedule["phases"][0]["currency"], *bounds, items)
    phase["metadata"] = merged_metadata({}, data.get("metadata"))
    phase["proration_behavior"] = data.get("proration_behavior") or "create_prorations"
    phase["billing_cycle_anchor"] = data.get("billing_cycle_anchor")
    phase["description"] = data.get("description")
    phase["default_payment_method"] = data.get("default_payment_method")
    return phase


def as_change(subscription: Document, phase: Document) -> Document:
    """The update that leads from the subscription's items to the phase's; empty if none does."""
    present = list(subscription["items"]["data"])
    wanted = list(phase["items"])
    for item in list(present):
        same = {"price": item["price"]["id"], "quantity": item["quantity"]}
        match = next((w for w in wanted if {k: w[k] for k in same} == same), None)
        if match:
            present.remove(item)
            wanted.remove(match)
    changes = []
    for item in present:
        if wanted:
            target = wanted.pop(0)
            changes.append(
                {"id": item["id"], "price": target["price"], "quantity": target["quantity"]}
            )
        else:
            changes.append({"id": item["id"], "deleted": True})
    changes += [{"price": item["price"], "quantity": item["quantity"]} for item in wanted]
    if not changes:
        return {}
    return {"items": changes, "proration_behavior": phase["proration_behavior"]}


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


PHASE: Shape = {
    "add_invoice_items": anything,
    "billing_cycle_anchor": one_of("automatic", "phase_start"),
    "collection_method": text,
    "currency": text,
    "default_payment_method": text,
    "description": text,
    "duration": hash_of({"interval": INTERVAL, "interval_count": natural}, ("interval",)),
    "end_date": moment("now"),
    "items": list_of(hash_of({"price": text, "quantity": natural, "metadata": metadata})),
    "metadata": metadata,
    "proration_behavior": PRORATION_BEHAVIOR,
    "start_date": moment("now"),
    "trial": boolean,
    "trial_end": moment("now"),
}
