"""What a customer chose on the pages that change a plan, read from a query or a form."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from guichet.billing.changes import ChangeRefused
from guichet.billing.subscriptions import Subscription
from guichet.money import Money
from guichet.payments.orders import SubscriptionChange
from guichet.web.forms import MissingField

#: An amount that was shown longer ago than this is shown again before it is charged.
SHOWN_FOR = timedelta(minutes=30)
_LONGEST_ID = 255
_MOST_DIGITS = 18


class NoPlanChosen(ChangeRefused):
    """Please choose a plan."""

    status = 422
    code = "no_plan_chosen"


class InvalidQuantity(ChangeRefused):
    """Please enter the quantity as a whole number."""

    status = 422
    code = "invalid_quantity"


class Choice(msgspec.Struct, frozen=True):
    """A plan and how many of it."""

    price_id: str
    quantity: int


class Confirmation(msgspec.Struct, frozen=True):
    """What the customer saw and confirmed. `token` names this one form."""

    token: UUID
    choice: Choice
    #: The moment that the amount shown was counted from.
    as_of: datetime
    #: The amount shown as due now, in minor units.
    due_now: int
    #: How the change was going to be made, as `terms_of` has it.
    terms: str


def read_choice(fields: Mapping[str, str]) -> Choice:
    """Read `price` and `quantity`; raises `NoPlanChosen` or `InvalidQuantity`."""
    price_id = fields.get("price", "")
    if not 0 < len(price_id) <= _LONGEST_ID or "\0" in price_id:
        raise NoPlanChosen
    # Each plan on the chooser has a quantity field of its own, named after its price.
    text = (fields.get(f"quantity-{price_id}") or fields.get("quantity") or "1").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidQuantity
    return Choice(price_id, int(text))


def read_confirmation(fields: Mapping[str, str]) -> Confirmation:
    """Read what `confirmation_fields` wrote; raises `MissingField` for anything else."""
    try:
        return Confirmation(
            token=UUID(fields["token"]),
            choice=read_choice(fields),
            as_of=datetime.fromtimestamp(int(fields["as_of"][:_MOST_DIGITS]), UTC),
            due_now=int(fields["due_now"][:_MOST_DIGITS]),
            terms=fields.get("terms", ""),
        )
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise MissingField from error


def terms_of(plan: SubscriptionChange) -> str:
    """How a change is made: the merchant may publish other rules while somebody looks at it."""
    ends_trial = "ends_trial" if plan.trial_end else ""
    return ":".join((plan.when, plan.proration, plan.anchor, ends_trial))


def confirmation_fields(
    choice: Choice, plan: SubscriptionChange, due_now: Money, csrf: str
) -> dict[str, str]:
    """The hidden fields of the form that confirms a change."""
    return {
        "csrf": csrf,
        "token": str(uuid4()),
        "price": choice.price_id,
        "quantity": str(choice.quantity),
        "as_of": str(int(plan.as_of.timestamp())),
        "due_now": str(due_now.amount),
        "terms": terms_of(plan),
    }


def proration_moment(subscription: Subscription, now: datetime) -> datetime:
    """The moment to count prorations from: now, in whole seconds, inside the current period.

    A provider's test clock may stand elsewhere than ours, and Stripe refuses a `proration_date`
    outside the period.
    """
    moment = now.replace(microsecond=0)
    if subscription.current_period_end_at:
        moment = min(moment, subscription.current_period_end_at - timedelta(seconds=1))
    if subscription.current_period_start_at:
        moment = max(moment, subscription.current_period_start_at)
    return moment


def is_recent(as_of: datetime, moment: datetime) -> bool:
    """Whether an amount counted from `as_of` may still be charged at `moment`."""
    return timedelta(0) <= moment - as_of <= SHOWN_FOR
