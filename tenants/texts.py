"""Words of a portal that a merchant may put in the place of ours, by language."""

from typing import Annotated

import msgspec

#: In one language: plain text, which pages escape. An empty one keeps ours.
Wording = Annotated[str, msgspec.Meta(max_length=600)]


class Texts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A text by language for each place; a language that is missing keeps our words."""

    welcome: dict[str, Wording] = msgspec.field(default_factory=dict)
    sign_in_lead: dict[str, Wording] = msgspec.field(default_factory=dict)
    no_subscription: dict[str, Wording] = msgspec.field(default_factory=dict)
    change_lead: dict[str, Wording] = msgspec.field(default_factory=dict)
    cancel_lead: dict[str, Wording] = msgspec.field(default_factory=dict)
    cancelled: dict[str, Wording] = msgspec.field(default_factory=dict)
    payment_failed: dict[str, Wording] = msgspec.field(default_factory=dict)
    footer: dict[str, Wording] = msgspec.field(default_factory=dict)
