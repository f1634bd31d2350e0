"""What a merchant offers: the plans that customers may choose, and how they may change them."""

from typing import Annotated, Literal

import msgspec

When = Literal["now", "period_end", "forbidden"]
#: What is charged for the rest of the period when a change applies now: its invoice at once, with
#: the next regular one, or nothing.
Proration = Literal["always_invoice", "create_prorations", "none"]
#: What a change is, seen from the plan that the customer has.
Direction = Literal[
    "upgrade", "downgrade", "longer_interval", "shorter_interval", "quantity_up", "quantity_down"
]

#: The provider's id of a price or of a product.
PlanId = Annotated[str, msgspec.Meta(max_length=255)]
#: A word or two on a plan.
Badge = Annotated[str, msgspec.Meta(max_length=24)]
Description = Annotated[str, msgspec.Meta(max_length=600)]


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One offered price of the provider, described in the merchant's words by language."""

    price_id: str
    description: dict[str, Description] = msgspec.field(default_factory=dict)
    highlight: bool = False
    #: Quantity limits; a maximum of 1 means that the quantity is not shown.
    quantity_min: int = 1
    quantity_max: int = 1
    #: What stands beside the plan's name, by language; empty for the usual word on a highlighted
    #: plan.
    badge: dict[str, Badge] = msgspec.field(default_factory=dict)
    #: Nobody may choose it any more; who has it keeps it, and may change its quantity.
    hidden: bool = False


class ChangeRule(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What becomes of the changes that a rule is about: those that fit all of its conditions."""

    direction: Direction | Literal["any"] = "any"
    #: `settled` is a subscription that owes nothing: active or in its trial. What is overdue can
    #: be changed by a rule that names it and by no other.
    status: Literal["settled", "active", "trialing", "past_due"] = "settled"
    #: A price, or a product with all of its prices; empty for any.
    from_plan: PlanId = ""
    to_plan: PlanId = ""

    when: When = "now"
    proration: Proration = "always_invoice"
    #: Whether a change now begins a new period; in a trial there is none to begin.
    anchor: Literal["unchanged", "now"] = "unchanged"
    #: Whether a change now ends the trial that the subscription is in.
    trial: Literal["continue", "end"] = "continue"


class ChangeRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a change applies: by the first of the rules that is about it, else by its direction.

    Within one product a change of the billing interval counts as such; every other change is an
    upgrade or a downgrade by what a month then costs.
    """

    upgrade: When = "now"
    downgrade: When = "period_end"
    longer_interval: When = "now"
    shorter_interval: When = "period_end"
    #: What is charged for a change that applies now and that no rule is about.
    proration: Proration = "always_invoice"
    rules: Annotated[tuple[ChangeRule, ...], msgspec.Meta(max_length=50)] = ()
