"""How customers may cancel, and what they are asked when they do."""

import hashlib
from typing import Annotated, Literal, get_args

import msgspec

#: Why a customer cancels, in the provider's eight words, in the order in which pages ask.
#: Source: https://docs.stripe.com/api/subscriptions/update, `cancellation_details.feedback`.
StandardReason = Literal[
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "low_quality",
    "too_complex",
    "customer_service",
    "other",
]
STANDARD_REASONS: tuple[StandardReason, ...] = get_args(StandardReason)

#: One line on a page that customers read.
ReasonText = Annotated[str, msgspec.Meta(max_length=120)]


class OwnReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reason in the merchant's own words, by language."""

    text: dict[str, ReasonText] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a form calls it: the same as long as its words are, wherever it stands."""
        return f"own-{hashlib.sha256(msgspec.json.encode(self.text)).hexdigest()[:12]}"

    def in_language(self, locale: str) -> str:
        """Its words in this language, else in another one."""
        return self.text.get(locale) or next(iter(self.text.values()), "")


class CancelRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether customers may cancel, when it takes effect, and what they are asked."""

    enabled: bool = True
    #: `choice` leaves it to the customer.
    when: Literal["period_end", "now", "choice"] = "period_end"
    reasons: Literal["off", "optional", "required"] = "off"
    standard_reasons: tuple[StandardReason, ...] = STANDARD_REASONS
    own_reasons: Annotated[tuple[OwnReason, ...], msgspec.Meta(max_length=10)] = ()
    comment: Literal["off", "optional"] = "off"
    #: Whether what is paid and not used is given back as a credit, of what ends at once.
    proration: Literal["none", "create_prorations"] = "none"
