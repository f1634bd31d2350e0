"""What a change costs, read from the invoices that Stripe previews for it."""

from datetime import datetime

import stripe

from guichet.money import Money
from guichet.payments.answers import Preview, PreviewLine
from guichet.payments.stripe.copying import is_proration, moment, seconds


def is_due_now(invoice: stripe.Invoice, period_end: datetime) -> bool:
    """Whether a previewed invoice is billed at the moment of the change, or is the next renewal.

    Stripe bills prorations alone when they are invoiced at once. A change of interval starts the
    billing cycle anew, whatever the proration behaviour, and bills its first period. In a trial
    nothing is prorated and nothing billed: the preview is then the invoice of the trial's end.
    What starts before the present period is over is due; the clock that says what "now" is would
    be the provider's, and the moment of proration is past once somebody has read the page.
    Source: https://docs.stripe.com/billing/subscriptions/prorations, "billing period".
    """
    renewal = _renewal(invoice)
    return renewal is None or renewal.period.start < seconds(period_end)


def of_now(first: stripe.Invoice, regular: stripe.Invoice, next_at: datetime) -> Preview:
    """The preview of what is billed at once by the `first` invoice, and later by the `regular`."""
    return Preview(
        lines=tuple(_line(line) for line in first.lines.data),
        due_now=Money(first.amount_due, first.currency),
        next_amount=Money(_after(first, regular), regular.currency),
        next_at=next_at,
        adjustment=_adjustment(first),
    )


def of_next(invoice: stripe.Invoice, next_at: datetime) -> Preview:
    """The preview of what costs nothing now: all there is to pay is on the next invoice."""
    return Preview(
        lines=tuple(_line(line, next_at) for line in invoice.lines.data),
        due_now=Money(0, invoice.currency),
        next_amount=Money(invoice.amount_due, invoice.currency),
        next_at=next_at,
        adjustment=_adjustment(invoice),
    )


def _adjustment(invoice: stripe.Invoice) -> Money | None:
    beyond = invoice.amount_due - sum(line.amount for line in invoice.lines.data)
    return Money(beyond, invoice.currency) if beyond else None


def _after(first: stripe.Invoice, regular: stripe.Invoice) -> int:
    """What the renewal costs when the credit that the first invoice leaves is spent on it."""
    credit = min(0, first.starting_balance + first.total)
    return max(0, regular.total + credit)


def starts_at(invoice: stripe.Invoice) -> datetime | None:
    """When the period begins that an invoice bills; None where it bills none."""
    renewal = _renewal(invoice)
    return moment(renewal.period.start) if renewal else None


def renewed_at(invoice: stripe.Invoice, period_end: datetime) -> datetime:
    """When the renewal is billed: at the start of its period, or, if that is now, at its end."""
    renewal = _renewal(invoice)
    if renewal is None:
        return period_end
    start = moment(renewal.period.start)
    return start if start >= period_end else moment(renewal.period.end)


def _renewal(invoice: stripe.Invoice) -> stripe.InvoiceLineItem | None:
    """The line that bills a whole period, the latest where there are several."""
    regular = [line for line in invoice.lines.data if not is_proration(line)]
    return max(regular, key=lambda line: line.period.start, default=None)


def _line(line: stripe.InvoiceLineItem, shown_from: datetime | None = None) -> PreviewLine:
    """One line; regular periods that begin before `shown_from` are left out.

    For a change of interval Stripe previews the new period as if it began now.
    """
    start, end = moment(line.period.start), moment(line.period.end)
    known = shown_from is None or start >= shown_from or is_proration(line)
    return PreviewLine(
        description=line.description or "",
        amount=Money(line.amount, line.currency),
        period_start_at=start if known else None,
        period_end_at=end if known else None,
        proration=is_proration(line),
    )
