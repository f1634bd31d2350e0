"""Which discounts a subscription will have, and for how long: a renewal may be without them."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import stripe

from guichet.payments.stripe.copying import moment, reference
from guichet.payments.stripe.parameters import Discount


class Term(NamedTuple):
    """One discount and its end."""

    parameter: Discount
    #: None for the discount of a code that is still to be redeemed.
    id: str | None
    promotion_code_id: str | None
    once: bool
    ends_at: datetime | None


def running_terms(subscription: stripe.Subscription) -> list[Term]:
    """The terms of a subscription whose discounts and their coupons were expanded."""
    return [_running(each) for each in subscription.discounts if isinstance(each, stripe.Discount)]


def _running(discount: stripe.Discount) -> Term:
    coupon = discount.source.coupon
    return Term(
        {"discount": discount.id},
        discount.id,
        reference(discount.promotion_code),
        isinstance(coupon, stripe.Coupon) and coupon.duration == "once",
        moment(discount.end),
    )


def with_code(running: Iterable[Term], code: stripe.PromotionCode, now: datetime) -> list[Term]:
    """The terms with those of a code that is redeemed now; its coupon was expanded."""
    coupon = code.promotion.coupon
    assert isinstance(coupon, stripe.Coupon)
    months = coupon.duration_in_months
    redeemed = Term(
        {"promotion_code": code.id},
        None,
        code.id,
        coupon.duration == "once",
        months_later(now, months) if months else None,
    )
    return [*(term for term in running if term.promotion_code_id != code.id), redeemed]


def lasting(terms: Sequence[Term], at: datetime, after: stripe.Invoice | None) -> list[Term]:
    """The terms that an invoice at a time is under, when another one came before it."""
    spent = _spent(after) if after else set()
    running = {term.id for term in terms}
    return [
        term
        for term in terms
        if (term.ends_at is None or term.ends_at > at)
        # The discount of a code that is still to be redeemed has another id in each preview.
        and not (term.once and (term.id in spent if term.id else bool(spent - running)))
    ]


def _spent(invoice: stripe.Invoice) -> set[str | None]:
    amounts = invoice.total_discount_amounts or ()
    return {reference(each.discount) for each in amounts if each.amount}


def months_later(start: datetime, months: int) -> datetime:
    """The same day so many months later, or that month's last one."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
