"""What entering a phase asks of a subscription: parameters to begin it, or to change it."""

from stripe_sandbox.state.documents import Document, merged_metadata
from stripe_sandbox.state.unit import Unit

_SIMPLE = ("collection_method", "default_payment_method", "description")


def as_beginning(schedule: Document, phase: Document) -> Document:
    """The parameters of the subscription that a schedule begins with this phase."""
    params: Document = {
        "add_invoice_items": charges(phase),
        "billing_mode": schedule["billing_mode"],
        "cancel_at": planned_end(schedule),
        "currency": phase["currency"],
        "customer": schedule["customer"],
        "discounts": phase["discounts"],
        "items": [_item(item) for item in phase["items"]],
        "metadata": phase["metadata"],
        "proration_behavior": phase["proration_behavior"],
        "trial_end": phase["trial_end"],
        **_terms(schedule, phase),
    }
    return {name: value for name, value in params.items() if value}


def planned_end(schedule: Document) -> int | None:
    """When a schedule is to end its subscription, if it is."""
    if schedule["end_behavior"] != "cancel":
        return None
    return int(schedule["phases"][-1]["end_date"])


def as_change(unit: Unit, schedule: Document, subscription: Document, phase: Document) -> Document:
    """The update that leads from the subscription to the phase; empty if none does."""
    params: Document = {}
    if items := _item_changes(subscription, phase):
        params["items"] = items
    for name, value in _terms(schedule, phase).items():
        if value is not None and value != subscription[name]:
            params[name] = value
    if merged_metadata(subscription["metadata"], phase["metadata"]) != subscription["metadata"]:
        params["metadata"] = phase["metadata"]
    discounts = [_kept(unit, subscription, entry) for entry in phase["discounts"]]
    if [entry.get("discount") for entry in discounts] != subscription["discounts"]:
        params["discounts"] = discounts
    ends, trial_end = phase["trial_end"], subscription["trial_end"]
    if ends and ends > unit.now(subscription) and ends != trial_end:
        params["trial_end"] = ends
    return params


def enters_anew(schedule: Document, phase: Document) -> bool:
    """Whether the phase begins a billing period of its own."""
    anchor = phase["billing_cycle_anchor"] or schedule["default_settings"]["billing_cycle_anchor"]
    return bool(anchor == "phase_start")


def charges(phase: Document) -> list[Document]:
    """The phase's one-off charges, with the phase's times in place of its words."""
    times = {"phase_start": phase["start_date"], "phase_end": phase["end_date"]}
    found = []
    for charge in phase["add_invoice_items"]:
        period = {
            side: {"type": "timestamp", "timestamp": times[bound["type"]]}
            if bound["type"] in times
            else bound
            for side, bound in charge["period"].items()
        }
        found.append({**charge, "period": period})
    return found


def _terms(schedule: Document, phase: Document) -> Document:
    defaults = schedule["default_settings"]
    terms = {name: phase[name] or defaults[name] for name in _SIMPLE}
    settings = phase["invoice_settings"] or defaults["invoice_settings"]
    return {**terms, "days_until_due": settings["days_until_due"]}


def _item(item: Document) -> Document:
    return {name: item[name] for name in ("metadata", "price", "quantity")}


def _item_changes(subscription: Document, phase: Document) -> list[Document]:
    present = list(subscription["items"]["data"])
    wanted = list(phase["items"])
    for item in list(present):
        same = {
            "price": item["price"]["id"],
            "quantity": item["quantity"],
            "metadata": item["metadata"],
        }
        match = next((w for w in wanted if {k: w[k] for k in same} == same), None)
        if match:
            present.remove(item)
            wanted.remove(match)
    changes: list[Document] = []
    for item in present:
        if wanted:
            changes.append({"id": item["id"], **_item(wanted.pop(0))})
        else:
            changes.append({"id": item["id"], "deleted": True})
    return [*changes, *(_item(item) for item in wanted)]


def _kept(unit: Unit, subscription: Document, entry: Document) -> Document:
    """A discount that the subscription has already is not redeemed once more."""
    for identifier in subscription["discounts"]:
        discount = unit.find("discount", identifier)
        if entry["discount"] == identifier or (
            discount
            and (entry["promotion_code"] or entry["coupon"])
            and entry["promotion_code"] == discount["promotion_code"]
            and entry["coupon"] in (None, discount["source"]["coupon"])
        ):
            return {"discount": identifier}
    return {name: value for name, value in entry.items() if value}
