"""What happens as time passes: due objects, one after the other, in the order of their times."""

from collections.abc import Callable

from stripe_sandbox.payments.checkout import expire
from stripe_sandbox.schedules.transitions import advance_schedule
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.placement import notice_due
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import charge, collect
from stripe_sandbox.subscriptions.renewals import advance_subscription
from stripe_sandbox.subscriptions.upcoming import announce

# The same object may act more than once in one second (a trial's end after its notice), but an
# object that is due for ever would stop the clock.
_MOST_AT_ONCE = 20


def _advance_invoice(unit: Unit, invoice: Document) -> None:
    """A draft is finalized and charged, an open invoice is charged again."""
    if invoice["status"] == "open":
        charge(unit, invoice)
        return
    collect(unit, invoice)
    if invoice["status"] == "draft":
        invoice.update(auto_advance=False, automatically_finalizes_at=None)
        unit.update(invoice, "invoice.updated")


def _advance_subscription(unit: Unit, subscription: Document) -> None:
    """Its renewal is announced, or the one other thing that is due is done."""
    told = notice_due(subscription)
    if told is not None and told <= unit.now(subscription):
        announce(unit, subscription)
    else:
        advance_subscription(unit, subscription)


_HANDLERS: dict[str, Callable[[Unit, Document], None]] = {
    "subscription_schedule": advance_schedule,
    "subscription": _advance_subscription,
    "invoice": _advance_invoice,
    "checkout.session": expire,
}


def run_due(
    unit: Unit,
    clock: str,
    until: int,
    set_time: Callable[[int], None],
    may_go_on: Callable[[], bool],
) -> bool:
    """Do all that is due on a clock up to a time. False if `may_go_on` stopped it half-way.

    Each thing happens at its own time, so that it makes no difference in how many steps a clock
    is advanced.
    """
    last, times = ("", 0), 0
    while found := unit.store.next_due(unit.account.id, clock, until):
        due, kind, identifier = found
        times = times + 1 if last == (identifier, due) else 1
        last = (identifier, due)
        if times > _MOST_AT_ONCE:
            raise RuntimeError(f"{identifier} stays due at {due}")
        set_time(due)
        _HANDLERS[kind](unit, unit.need(kind, identifier))
        if not may_go_on():
            return False
    return True
