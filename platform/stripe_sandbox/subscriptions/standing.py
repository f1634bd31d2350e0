"""What becomes of a subscription when its invoices are paid, or are not, and how it ends."""

from stripe_sandbox.invoices.invoices import subscription_of, void
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions import pending_updates

ENDED = ("canceled", "incomplete_expired")


def after_payment(unit: Unit, invoice: Document) -> None:
    """A paid, voided or given-up invoice may bring the subscription back to good standing."""
    subscription = unit.find("subscription", subscription_of(invoice))
    if subscription is None or subscription["status"] in ENDED:
        return
    if pending_updates.waits_for(subscription, invoice):
        _settle_pending(unit, subscription, invoice)
    if _resumes_by(subscription, invoice) and invoice["status"] in ("paid", "uncollectible"):
        be_resumed(unit, subscription, "active")
    if (subscription["status"] == "incomplete" and invoice["status"] == "paid") or (
        subscription["status"] in ("past_due", "unpaid") and not _owes(unit, subscription)
    ):
        subscription["status"] = healthy_status(unit, subscription)
    unit.update(subscription, "customer.subscription.updated")


def _settle_pending(unit: Unit, subscription: Document, invoice: Document) -> None:
    if invoice["status"] == "paid":
        pending_updates.apply_pending(unit, subscription)
    elif invoice["status"] == "void":
        pending_updates.drop(unit, subscription)


def healthy_status(unit: Unit, subscription: Document) -> str:
    """Trialing while the trial lasts, else active."""
    trial_end = subscription["trial_end"]
    return "trialing" if trial_end and trial_end > unit.now(subscription) else "active"


def _owes(unit: Unit, subscription: Document) -> bool:
    invoices = unit.every("invoice", tag=subscription["id"])
    return any(invoice["status"] == "open" and invoice["attempted"] for invoice in invoices)


def after_failure(unit: Unit, invoice: Document) -> None:
    """A failed attempt: past due, and after the last retry what the account's settings say."""
    subscription = unit.find("subscription", subscription_of(invoice))
    if subscription is None or subscription["status"] in ENDED:
        return
    if pending_updates.waits_for(subscription, invoice):
        return
    if _resumes_by(subscription, invoice) and not subscription["_resuming"]["only_paid"]:
        be_resumed(unit, subscription, "past_due")
    if subscription["status"] in ("active", "trialing"):
        subscription["status"] = "past_due"
    final = unit.account.settings["after_retries"]
    # Without automatic collection no retry is the last one.
    over = invoice["auto_advance"] and invoice["next_payment_attempt"] is None
    exhausted = over and subscription["status"] == "past_due"
    if exhausted and final == "cancel":
        end(unit, subscription, "payment_failed")
        return
    if exhausted and final == "unpaid":
        subscription["status"] = "unpaid"
    unit.update(subscription, "customer.subscription.updated")


def _resumes_by(subscription: Document, invoice: Document) -> bool:
    resuming = subscription["_resuming"]
    return resuming is not None and resuming["invoice"] == invoice["id"]


def be_paused(unit: Unit, subscription: Document, reason: str) -> None:
    """No periods and no invoices until it is resumed."""
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {
            "subscription": {"type": reason},
            "transitioned_at": unit.now(subscription),
            "type": "subscription",
        }
    }
    unit.update(subscription, "customer.subscription.updated")
    unit.emit("customer.subscription.paused", subscription)


def be_resumed(unit: Unit, subscription: Document, status: str) -> None:
    """Go on after a pause, in good standing or not."""
    subscription.update(status=status, status_details=None, _resuming=None)
    unit.update(subscription, "customer.subscription.updated")
    unit.emit("customer.subscription.resumed", subscription)


def stay_paused(unit: Unit, subscription: Document) -> None:
    """The invoice of a resumption was not paid in 23 hours: it is voided."""
    invoice = unit.find("invoice", subscription["_resuming"]["invoice"])
    subscription.update(_resuming=None, _debits={})
    unit.update(subscription, "customer.subscription.updated")
    if invoice and invoice["status"] == "open":
        void(unit, invoice)


def end(unit: Unit, subscription: Document, reason: str | None) -> None:
    """Cancel now: open invoices are no longer collected, drafts are left alone."""
    now = unit.now(subscription)
    pending_updates.drop(unit, subscription)
    subscription["status"] = "canceled"
    subscription["ended_at"] = now
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancel_at"] = subscription["cancel_at"] and min(subscription["cancel_at"], now)
    if reason and not subscription["cancellation_details"]["reason"]:
        subscription["cancellation_details"]["reason"] = reason
    _complete_schedule(unit, subscription, reason)
    unit.update(subscription)
    unit.emit("customer.subscription.deleted", subscription)
    for invoice in list(unit.every("invoice", tag=subscription["id"])):
        if invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            invoice["auto_advance"] = False
            invoice["next_payment_attempt"] = None
            unit.update(invoice, "invoice.updated")


def _complete_schedule(unit: Unit, subscription: Document, reason: str | None) -> None:
    """With a subscription goes its schedule: canceled, or aborted for want of payment."""
    now = unit.now(subscription)
    schedule = unit.find("subscription_schedule", subscription["schedule"])
    subscription["schedule"] = None
    if schedule and schedule["status"] in ("active", "not_started"):
        schedule.update(status="canceled", canceled_at=now, current_phase=None)
        unit.update(schedule, "subscription_schedule.updated")
        aborted = reason == "payment_failed"
        unit.emit(f"subscription_schedule.{'aborted' if aborted else 'canceled'}", schedule)


def expire_incomplete(unit: Unit, subscription: Document) -> None:
    """A first payment that was not completed in 23 hours ends the subscription."""
    now = unit.now(subscription)
    subscription.update(status="incomplete_expired", ended_at=now, canceled_at=now)
    unit.update(subscription, "customer.subscription.updated")
    invoice = unit.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] == "open":
        void(unit, invoice)
