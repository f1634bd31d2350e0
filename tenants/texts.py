"""Words of a portal that a merchant may put in the place of ours, or beside them, by language."""

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


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language; an empty one keeps our words. Each is plain text with lines."""

    #: Below the home page's title.
    welcome: str = ""
    #: On the sign-in page, in place of our sentence.
    sign_in_lead: str = ""
    #: Where a customer has no subscription, in place of our sentence.
    no_subscription: str = ""
    #: Above the plans to choose from, in place of our sentence.
    change_lead: str = ""
    #: On the page that asks whether to cancel, above what happens.
    cancel_lead: str = ""
    #: On the page after cancelling, below what happens.
    cancelled: str = ""
    #: Beside what is said of a failed payment.
    payment_failed: str = ""
    #: At the foot of each page.
    footer: str = ""


NO_WORDS = Words()


def words_in(texts: Texts, language: str) -> Words:
    """What a merchant says in a language."""
    chosen = {
        name: getattr(texts, name).get(language, "").strip() for name in Words.__struct_fields__
    }
    return Words(**chosen)
