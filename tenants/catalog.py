"""What a merchant offers: the plans that customers may choose, in order."""

from typing import Literal

import msgspec

When = Literal["now", "period_end", "forbidden"]


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One offered price of the provider, described in the merchant's words by language."""

    price_id: str
    description: dict[str, str] = msgspec.field(default_factory=dict)
    highlight: bool = False
    #: Quantity limits; a maximum of 1 means that the quantity is not shown.
    quantity_min: int = 1
    quantity_max: int = 1


class ChangeRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a change applies, by its direction.

    Within one product a change of the billing interval counts as such; every other change is an
    upgrade or a downgrade by what a month then costs.
    """

    upgrade: When = "now"
    downgrade: When = "period_end"
    longer_interval: When = "now"
    shorter_interval: When = "period_end"
    #: What is charged for a change that applies now.
    proration: Literal["always_invoice", "create_prorations", "none"] = "always_invoice"


class CancelRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether customers may cancel at the end of their period."""

    enabled: bool = True
