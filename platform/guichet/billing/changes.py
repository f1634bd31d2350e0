"""The change rules: what a customer may change a subscription to, and when it applies."""

from datetime import datetime

import msgspec

from guichet.billing import change_rules
from guichet.billing.catalog import Price
from guichet.billing.change_rules import Outcome, Situation
from guichet.billing.subscriptions import Item, Subscription
from guichet.errors import Conflict
from guichet.payments.orders import ItemOrder, SubscriptionChange
from tenants.catalog import ChangeRules, Plan, When
from tenants.configuration import Configuration
from tenants.features import Features


class ChangeRefused(Conflict):
    """This change is not possible right now."""

    code = "change_refused"


class NotLive(ChangeRefused):
    """This subscription has ended, so it can no longer be changed."""

    code = "not_live"


class PaymentOverdue(ChangeRefused):
    """A payment is overdue. Please pay it first; after that you can change your plan."""

    code = "payment_overdue"


class IsCancelling(ChangeRefused):
    """This subscription is set to end. Please undo the cancellation first."""

    code = "is_cancelling"


class ChangePending(ChangeRefused):
    """A change is already planned for this subscription. Please undo it first."""

    code = "change_pending"


class PlannedByMerchant(ChangeRefused):
    """The merchant has planned how this subscription goes on. Please ask them about changes."""

    code = "planned_by_merchant"


class ChangeUnfinished(ChangeRefused):
    """A change to this subscription is being made at this moment. Please look again shortly."""

    code = "change_unfinished"


class NotOffered(ChangeRefused):
    """This plan is not offered."""

    code = "not_offered"


class SamePlan(ChangeRefused):
    """You already have this plan, so nothing was changed."""

    code = "same_plan"


class NotAllowed(ChangeRefused):
    """This change cannot be made here. Please contact support."""

    code = "not_allowed"


class PlanOption(msgspec.Struct, frozen=True):
    """One plan on the page that offers them."""

    price: Price
    description: str
    highlight: bool
    is_current: bool
    #: When choosing it would apply; None for the current plan.
    when: When | None
    quantity_min: int
    quantity_max: int
    #: What the quantity field starts with.
    quantity: int
    badge: str = ""
    #: Whether the customer sets the quantity; else it is as it is.
    may_set_quantity: bool = True


class Offer(msgspec.Struct, frozen=True):
    """What a merchant has published about changing plans."""

    changes: ChangeRules
    plans: tuple[Plan, ...]
    features: Features = Features()

    @property
    def may_change(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.plans) and (self.features.change_plan or self.features.change_quantity)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The states in which a subscription's plan can be changed."""
        if not self.may_change:
            return ()
        settled = ("active", "trialing")
        return (*settled, "past_due") if change_rules.allows_overdue(self.changes) else settled


def offer_of(configuration: Configuration) -> Offer:
    """What a configuration says about changing plans."""
    return Offer(configuration.changes, configuration.plans, configuration.features)


def main_item(subscription: Subscription, plans: tuple[Plan, ...]) -> Item:
    """The item that a plan change moves: the first one on an offered plan, else the first."""
    if not subscription.items:
        raise NotAllowed
    offered = {plan.price_id for plan in plans}
    return next(
        (item for item in subscription.items if item.price and item.price.id in offered),
        subscription.items[0],
    )


def check_changeable(subscription: Subscription, changes: ChangeRules) -> None:
    """Raise why a subscription's plan cannot be changed now, whatever the target."""
    if not subscription.is_live:
        raise NotLive
    if subscription.unfinished_change:
        raise ChangeUnfinished
    if subscription.is_led_by_merchant:
        raise PlannedByMerchant
    if subscription.status == "unpaid":
        raise PaymentOverdue
    if subscription.status == "past_due" and not change_rules.allows_overdue(changes):
        raise PaymentOverdue
    if subscription.status == "paused":
        raise NotAllowed
    if subscription.cancel_at_period_end or subscription.cancel_at:
        raise IsCancelling
    if subscription.pending:
        raise ChangePending


def decide(offer: Offer, subscription: Subscription, price: Price, quantity: int) -> Outcome:
    """When and how this change applies; raises `ChangeRefused` and says why."""
    check_changeable(subscription, offer.changes)
    item = main_item(subscription, offer.plans)
    plan = next((plan for plan in offer.plans if plan.price_id == price.id), None)
    if plan is None or not price.active or price.currency != subscription.currency:
        raise NotOffered
    if not plan.quantity_min <= quantity <= plan.quantity_max:
        raise NotOffered
    is_current = item.price is not None and item.price.id == price.id
    if plan.hidden and not is_current:
        raise NotOffered
    if is_current and (item.quantity or 1) == quantity:
        raise SamePlan
    _check_features(offer.features, plan, item, quantity, is_current=is_current)
    outcome = _outcome(offer.changes, subscription, item, price, quantity)
    if outcome.when == "forbidden":
        is_overdue = subscription.status == "past_due" and outcome.rule is None
        raise PaymentOverdue if is_overdue else NotAllowed
    return outcome


def _check_features(
    features: Features, plan: Plan, item: Item, quantity: int, *, is_current: bool
) -> None:
    if not features.change_plan and not is_current:
        raise NotAllowed
    if not features.change_quantity and quantity != _kept_quantity(plan, item):
        raise NotAllowed


def _kept_quantity(plan: Plan, item: Item) -> int:
    """The quantity that the customer has, or what a plan has nearest to it."""
    return min(max(item.quantity or 1, plan.quantity_min), plan.quantity_max)


def _outcome(
    changes: ChangeRules, subscription: Subscription, item: Item, price: Price, quantity: int
) -> Outcome:
    # Whoever asks has looked whether it is changeable: no other status is left.
    status = subscription.status
    assert status in ("active", "trialing", "past_due")
    situation = Situation(
        status=status,
        current=item.price,
        current_quantity=item.quantity or 1,
        price=price,
        quantity=quantity,
    )
    return change_rules.decide(changes, situation)


def order(
    outcome: Outcome,
    subscription: Subscription,
    item: Item,
    price: Price,
    quantity: int,
    as_of: datetime,
) -> SubscriptionChange:
    """What the provider is asked for; `as_of` is the moment that prorations are counted from."""
    return SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=item.id, price_id=price.id, quantity=quantity),),
        when="now" if outcome.when == "now" else "period_end",
        proration=outcome.proration,
        anchor=outcome.anchor,
        # A trial's end that is not after the moment of the change is at once.
        trial_end=as_of if outcome.trial == "end" else None,
        as_of=as_of,
    )


def offered_options(
    offer: Offer, subscription: Subscription, prices: dict[str, Price], locale: str
) -> tuple[PlanOption, ...]:
    """The merchant's plans in order, without those that this subscription cannot move to.

    Of a subscription that is changeable, as `check_changeable` has it.
    """
    item = main_item(subscription, offer.plans)
    options = tuple(
        option
        for plan in offer.plans
        if (price := prices.get(plan.price_id))
        and price.currency == subscription.currency
        and (option := _option(offer, plan, subscription, item, price, locale))
    )
    is_choice = any(not option.is_current or option.quantity_max > 1 for option in options)
    return options if is_choice or offer.features.change_plan else ()


def _option(
    offer: Offer,
    plan: Plan,
    subscription: Subscription,
    item: Item,
    price: Price,
    locale: str,
) -> PlanOption | None:
    is_current = item.price is not None and item.price.id == price.id
    quantity = _kept_quantity(plan, item)
    when = _outcome(offer.changes, subscription, item, price, quantity).when
    is_closed = plan.hidden or not offer.features.change_plan
    if not is_current and (when == "forbidden" or not price.active or is_closed):
        return None
    return PlanOption(
        price=price,
        description=_in_language(plan.description, locale),
        highlight=plan.highlight,
        is_current=is_current,
        when=None if is_current else when,
        quantity_min=plan.quantity_min,
        quantity_max=plan.quantity_max,
        quantity=quantity,
        badge=_in_language(plan.badge, locale),
        may_set_quantity=offer.features.change_quantity,
    )


def _in_language(texts: dict[str, str], locale: str) -> str:
    return texts.get(locale) or next(iter(texts.values()), "")
