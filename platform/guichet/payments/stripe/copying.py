"""From Stripe's objects to our copies: only what the mirror keeps, in our words."""

from datetime import UTC, datetime
from typing import cast, overload

import stripe
from stripe import StripeObject

from guichet.payments.copies import (
    CustomerCopy,
    InvoiceCopy,
    ItemCopy,
    PaymentMethodCopy,
    PendingCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
)


@overload
def moment(seconds: int) -> datetime: ...
@overload
def moment(seconds: int | None) -> datetime | None: ...
def moment(seconds: int | None) -> datetime | None:
    """Stripe's seconds since 1970 as an aware time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def seconds(at: datetime) -> int:
    """An aware time as Stripe writes it; what is finer than a second is dropped."""
    return int(at.timestamp())


@overload
def reference(field: str | StripeObject) -> str: ...
@overload
def reference(field: str | StripeObject | None) -> str | None: ...
def reference(field: str | StripeObject | None) -> str | None:
    """The id that a field holds, whether or not the object behind it was expanded."""
    if field is None or isinstance(field, str):
        return field
    return cast(str, field["id"])


def copy_customer(customer: stripe.Customer) -> CustomerCopy:
    """A customer; of a deleted one Stripe answers `deleted` and the id alone."""
    if getattr(customer, "deleted", False):
        return CustomerCopy(id=customer.id, deleted=True)
    settings = customer.invoice_settings
    return CustomerCopy(
        id=customer.id,
        email=customer.email,
        name=customer.name,
        currency=customer.currency,
        default_payment_method_id=reference(settings.default_payment_method) if settings else None,
        created_at=moment(customer.created),
    )


def copy_payment_method(method: stripe.PaymentMethod) -> PaymentMethodCopy:
    """A payment method; only cards have a brand and an expiry."""
    # The type is also the name of the field that describes it.
    details = getattr(method, method.type, None)
    return PaymentMethodCopy(
        id=method.id,
        customer_id=reference(method.customer),
        type=method.type,
        brand=getattr(details, "brand", None),
        last4=getattr(details, "last4", None),
        exp_month=getattr(details, "exp_month", None),
        exp_year=getattr(details, "exp_year", None),
        created_at=moment(method.created),
    )


def copy_product(product: stripe.Product) -> ProductCopy:
    return ProductCopy(
        id=product.id,
        name=product.name,
        description=product.description,
        active=product.active,
    )


def copy_price(price: stripe.Price) -> PriceCopy:
    recurring = price.recurring
    return PriceCopy(
        id=price.id,
        product_id=reference(price.product),
        currency=price.currency,
        unit_amount=price.unit_amount if price.billing_scheme == "per_unit" else None,
        interval=recurring.interval if recurring else None,  # type: ignore[arg-type]
        interval_count=recurring.interval_count if recurring else None,
        active=price.active,
    )


def copy_subscription(subscription: stripe.Subscription) -> SubscriptionCopy:
    """A subscription whose schedule was expanded, if it has one."""
    items = subscription.items.data
    first_to_end = min(items, key=lambda item: item.current_period_end, default=None)
    return SubscriptionCopy(
        id=subscription.id,
        customer_id=reference(subscription.customer),
        status=subscription.status,  # type: ignore[arg-type]
        currency=subscription.currency,
        default_payment_method_id=reference(subscription.default_payment_method),
        cancel_at_period_end=subscription.cancel_at_period_end,
        cancel_at=moment(subscription.cancel_at),
        canceled_at=moment(subscription.canceled_at),
        ended_at=moment(subscription.ended_at),
        trial_end_at=moment(subscription.trial_end),
        current_period_start_at=moment(first_to_end.current_period_start) if first_to_end else None,
        current_period_end_at=moment(first_to_end.current_period_end) if first_to_end else None,
        schedule_id=reference(subscription.schedule),
        pending=_pending_change(subscription),
        created_at=moment(subscription.created),
        items=tuple(
            ItemCopy(id=item.id, price_id=item.price.id, quantity=getattr(item, "quantity", None))
            for item in items
        ),
    )


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


def copy_invoice(invoice: stripe.Invoice) -> InvoiceCopy:
    parent = invoice.parent
    details = parent.subscription_details if parent else None
    return InvoiceCopy(
        id=invoice.id,
        customer_id=reference(invoice.customer) or "",
        subscription_id=reference(details.subscription) if details else None,
        number=invoice.number,
        status=invoice.status or "draft",  # type: ignore[arg-type]
        currency=invoice.currency,
        total=invoice.total,
        amount_paid=invoice.amount_paid,
        amount_remaining=invoice.amount_remaining,
        attempt_count=invoice.attempt_count,
        next_payment_attempt_at=moment(invoice.next_payment_attempt),
        due_at=moment(invoice.due_date),
        created_at=moment(invoice.created),
    )


def intent_that_paid(invoice: stripe.Invoice) -> str | None:
    """The id of the payment intent that paid an invoice whose payments were expanded."""
    for payment in invoice.payments.data if invoice.payments else ():
        if payment.status == "paid" and payment.payment.type == "payment_intent":
            return reference(payment.payment.payment_intent)
    return None


def receipt_url(intent: stripe.PaymentIntent) -> str | None:
    """The receipt of an intent whose latest charge was expanded."""
    charge = intent.latest_charge
    return charge.receipt_url if isinstance(charge, stripe.Charge) else None
