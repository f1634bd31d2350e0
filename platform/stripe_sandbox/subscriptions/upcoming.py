"""Upcoming invoices: the renewal to come, previewed on request and announced some days before."""

from stripe_sandbox.catalog.discounts import forget_those_over
from stripe_sandbox.requests.errors import ApiError
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.placement import notice_period
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.cancelling import final_invoice
from stripe_sandbox.subscriptions.renewals import renew


def announce(unit: Unit, subscription: Document) -> None:
    """Tell of the renewal to come, once for each period."""
    with unit.rehearsal() as rehearsed:
        found = rehearsed.need("subscription", subscription["id"])
        preview = as_preview(renewal_invoice(rehearsed, found))
    subscription["_noticed"] = notice_period(subscription).end
    unit.update(subscription)
    unit.emit("invoice.upcoming", preview)


def renewal_invoice(unit: Unit, subscription: Document) -> Document:
    """The invoice that the end of the period will bring."""
    end = min(item["current_period_end"] for item in subscription["items"]["data"])
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= end:
        invoice = final_invoice(unit, subscription)
        if invoice is None:
            raise nothing_upcoming(subscription)
    else:
        forget_those_over(unit, subscription, end)
        invoice = renew(unit, subscription, end)
    invoice["created"] = end
    return invoice


def nothing_upcoming(subscription: Document) -> ApiError:
    """The answer when no invoice is to come."""
    return ApiError(
        404,
        "invalid_request_error",
        f"No upcoming invoices for customer: {subscription['customer']}",
        code="invoice_upcoming_none",
    )


def as_preview(invoice: Document) -> Document:
    """An invoice that is only thought of: its ids lead nowhere."""
    preview = public(invoice)
    preview["id"] = f"upcoming_{invoice['id']}"
    preview["billing_reason"] = (
        "upcoming" if invoice["billing_reason"] == "subscription_cycle"
        else invoice["billing_reason"]
    )  # fmt: skip
    lines = [
        {**public(line), "id": f"il_tmp_{line['id'][3:]}", "invoice": preview["id"]}
        for line in invoice["_lines"]
    ]
    preview["lines"] = {**invoice["lines"], "data": lines, "has_more": False}
    preview["lines"]["url"] = f"/v1/invoices/{preview['id']}/lines"
    return preview
