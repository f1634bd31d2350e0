"""What has been billed for each item of a subscription, kept so that credits give back no more."""

from stripe_sandbox.catalog.discounts import net_of_discounts
from stripe_sandbox.invoices.invoice_items import add_proration
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import Debit, credits_for, part, remaining_debits
from stripe_sandbox.subscriptions.subscription_items import (
    ItemChange,
    amount_of,
    billed_period,
    period_at,
)


def debits_of(subscription: Document, item: Document) -> list[Debit]:
    """The debits to give back from.

    Classic billing credits the present price for the present period whatever was paid; flexible
    billing credits what was billed (https://docs.stripe.com/billing/subscriptions/billing-mode).
    """
    if subscription["billing_mode"]["type"] == "classic":
        if subscription["status"] == "trialing":
            return []
        period = Period(item["current_period_start"], item["current_period_end"])
        return [Debit(amount_of(subscription, item, period), *period)]
    return [Debit(*row) for row in subscription["_debits"].get(item["id"], [])]


def record(subscription: Document, item: Document, debit: Debit, *, anew: bool = False) -> None:
    """Remember a debit; `anew` begins a period, for which nothing else was billed."""
    kept = [] if anew else subscription["_debits"].get(item["id"], [])
    subscription["_debits"][item["id"]] = [*kept, list(debit)]


def record_lines(subscription: Document, invoice: Document) -> None:
    """Remember on which lines of an invoice the pending debits ended up."""
    lines = {line.get("_pending"): line["id"] for line in invoice["_lines"]}
    for rows in subscription["_debits"].values():
        for row in rows:
            debit = Debit(*row)
            if debit.pending and debit.pending in lines:
                row[3:] = [invoice["id"], lines[debit.pending], None]


def prorate(
    unit: Unit, subscription: Document, change: ItemChange, moment: int, *, debits_too: bool
) -> None:
    """Give back the unused time of what was, and bill the remaining time of what is."""
    if change.before:
        _credit(unit, subscription, change.before, moment)
    if change.after and debits_too:
        whole = billed_period(subscription, change.after, moment)
        change.after["current_period_end"] = whole.end
        debit_rest(unit, subscription, change.after, Period(moment, whole.end))


def fit_to_end(unit: Unit, subscription: Document, *, prorated: bool) -> None:
    """Let the current periods end where the subscription is to end, or go on if it no longer is.

    The time that is cut off is given back, the time that is added is billed; without proration
    nothing is cut off (https://docs.stripe.com/api/subscriptions/update, `cancel_at`).
    """
    if subscription["status"] == "trialing":
        return
    for item in subscription["items"]["data"]:
        present = Period(item["current_period_start"], item["current_period_end"])
        end = billed_period(subscription, item, present.start).end
        if end < present.end and prorated:
            _credit(unit, subscription, item, end)
            item["current_period_end"] = end
        elif end > present.end:
            item["current_period_end"] = end
            if prorated:
                debit_rest(unit, subscription, item, Period(present.end, end))


def net_amount(unit: Unit, subscription: Document, item: Document) -> int:
    """What an item costs for a whole period once lasting discounts are taken off.

    As with `proration_discounts=included`: prorations are net of discounts
    (https://docs.stripe.com/billing/subscriptions/billing-mode/compare).
    """
    items = subscription["items"]["data"]
    others = [each for each in items if each["id"] != item["id"]]
    return net_of_discounts(unit, subscription, [item, *others])[0]


def _credit(unit: Unit, subscription: Document, item: Document, moment: int) -> None:
    debits = debits_of(subscription, item)
    for debit, amount in credits_for(debits, moment):
        if amount:
            start = max(moment, debit.start)
            add_proration(unit, subscription, item, -amount, Period(start, debit.end), debit)
    kept = [list(debit) for debit in remaining_debits(debits, moment)]
    subscription["_debits"][item["id"]] = kept


def debit_rest(unit: Unit, subscription: Document, item: Document, rest: Period) -> None:
    """Bill an item for the rest of a period."""
    whole = period_at(subscription["billing_cycle_anchor"], item, rest.start)
    amount = part(net_amount(unit, subscription, item), whole, rest)
    if amount:
        pending = add_proration(unit, subscription, item, amount, rest)
        record(subscription, item, Debit(amount, *rest, pending=pending["id"]))
