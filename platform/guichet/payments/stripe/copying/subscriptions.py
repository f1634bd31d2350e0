"""Stripe's subscriptions as copies, with what their schedules change next."""

from collections.abc import Iterable

import stripe

from guichet.payments.copies import (
    DiscountCopy,
    ItemCopy,
    PauseCopy,
    PendingCopy,
    PendingUpdateCopy,
    SubscriptionCopy,
)
from guichet.payments.stripe.copying.values import exact, moment, reference

#: What has to be expanded for a whole copy.
SUBSCRIPTION = ["schedule", "discounts.source.coupon"]
#: The name in the metadata of the schedules that we make.
OURS = "guichet"


def copy_subscription(subscription: stripe.Subscription) -> SubscriptionCopy:
    """A subscription of which everything in `SUBSCRIPTION` was expanded."""
    items = subscription.items.data
    first_to_end = min(items, key=lambda item: item.current_period_end, default=None)
    details = subscription.cancellation_details
    return SubscriptionCopy(
        id=subscription.id,
        customer_id=reference(subscription.customer),
        status=subscription.status,  # type: ignore[arg-type]
        currency=subscription.currency,
        collection_method=subscription.collection_method,  # type: ignore[arg-type]
        default_payment_method_id=reference(subscription.default_payment_method),
        cancel_at_period_end=subscription.cancel_at_period_end,
        cancel_at=moment(subscription.cancel_at),
        canceled_at=moment(subscription.canceled_at),
        cancellation_feedback=details.feedback if details else None,
        cancellation_comment=details.comment if details else None,
        ended_at=moment(subscription.ended_at),
        trial_end_at=moment(subscription.trial_end),
        current_period_start_at=moment(first_to_end.current_period_start) if first_to_end else None,
        current_period_end_at=moment(first_to_end.current_period_end) if first_to_end else None,
        latest_invoice_id=reference(subscription.latest_invoice),
        schedule_id=reference(subscription.schedule),
        schedule_is_ours=_is_ours(subscription.schedule),
        pending=_pending_change(subscription),
        pending_update=_pending_update(subscription),
        pause=_pause(subscription),
        discounts=_discounts(subscription.discounts),
        created_at=moment(subscription.created),
        items=_items(items),
    )


def _items(items: Iterable[stripe.SubscriptionItem]) -> tuple[ItemCopy, ...]:
    return tuple(
        ItemCopy(id=item.id, price_id=item.price.id, quantity=getattr(item, "quantity", None))
        for item in items
    )


def _is_ours(schedule: str | stripe.SubscriptionSchedule | None) -> bool:
    if not isinstance(schedule, stripe.SubscriptionSchedule) or not schedule.metadata:
        return False
    return OURS in schedule.metadata.to_dict()


def _pending_change(subscription: stripe.Subscription) -> PendingCopy | None:
    """What the next phase of the schedule changes; None where it changes nothing of the plan."""
    schedule = subscription.schedule
    if not isinstance(schedule, stripe.SubscriptionSchedule) or not schedule.current_phase:
        return None
    turn = schedule.current_phase.end_date
    upcoming = next((phase for phase in schedule.phases if phase.start_date >= turn), None)
    if upcoming is None:
        return None
    present = {(item.price.id, getattr(item, "quantity", None)) for item in subscription.items.data}
    for item in upcoming.items:
        price_id, quantity = reference(item.price), getattr(item, "quantity", None)
        if (price_id, quantity) not in present:
            return PendingCopy(at=moment(turn), price_id=price_id, quantity=quantity)
    return None


def _pending_update(subscription: stripe.Subscription) -> PendingUpdateCopy | None:
    pending = subscription.pending_update
    if pending is None:
        return None
    return PendingUpdateCopy(
        expires_at=moment(pending.expires_at), items=_items(pending.subscription_items or ())
    )


def _pause(subscription: stripe.Subscription) -> PauseCopy | None:
    pause = subscription.pause_collection
    if pause is None:
        return None
    return PauseCopy(
        behavior=pause.behavior,  # type: ignore[arg-type]
        resumes_at=moment(pause.resumes_at),
    )


def _discounts(discounts: Iterable[str | stripe.Discount]) -> tuple[DiscountCopy, ...]:
    return tuple(_discount(each) for each in discounts if isinstance(each, stripe.Discount))


def _discount(discount: stripe.Discount) -> DiscountCopy:
    found = discount.source.coupon
    coupon = found if isinstance(found, stripe.Coupon) else None
    return DiscountCopy(
        id=discount.id,
        coupon_id=reference(found) or "",
        name=coupon.name if coupon else None,
        percent_off=exact(coupon.percent_off) if coupon else None,
        amount_off=coupon.amount_off if coupon else None,
        currency=coupon.currency if coupon else None,
        promotion_code_id=reference(discount.promotion_code),
        ends_at=moment(discount.end),
    )
