"""The customers of a year: whether their cards pay, and what they do about it."""

from collections.abc import Sequence
from random import Random

import msgspec

#: Cards with a number of their own, so that nobody else's charges count for them.
_COUNTRIES = (
    "at", "au", "be", "br", "ca", "ch", "de", "dk", "es", "fi", "fr", "gb", "ie", "it", "jp",
    "lu", "mx", "nl", "no", "pl", "pt", "se", "sg",
)  # fmt: skip
CARDS = tuple(f"pm_card_{country}" for country in _COUNTRIES)
#: What people take when their old card does not pay any more.
NEW_CARDS = (
    "pm_card_mastercard_debit", "pm_card_mastercard_prepaid", "pm_card_visa_debit",
    "pm_card_discover", "pm_card_jcb",
)  # fmt: skip
#: Nobody has it; it is typed at hosted pages alone, so its charges are the customers' own.
TYPED_NUMBER = "378282246310005"
TYPED_BRAND = "amex"

#: How a card falls ill: why it does not pay, how often that is so, and for how many days.
_ILLNESSES: dict[str, tuple[int, Sequence[int]]] = {
    "insufficient_funds": (10, (1, 3, 6, 12, 40)),
    "do_not_honor": (4, (1, 4, 20)),
    "processing_error": (3, (1, 1, 2)),
    "issuer_not_available": (2, (1, 2)),
    "expired_card": (3, (400,)),
    "lost_card": (2, (400,)),
    "authentication_required": (2, (400,)),
    "transaction_not_allowed": (1, (400,)),
}
_FALLS_ILL = 0.05


class Person(msgspec.Struct):
    """One customer. `card` is the payment method that is charged by default."""

    id: str
    card: str
    subscription: str
    #: Has no money from a day on, and does nothing about it: their story can be foretold.
    is_plain: bool = False
    illness: str = ""
    well_on: int = 0

    def live(self, day: int, chance: Random) -> None:
        """Another day of their card's life."""
        if self.is_plain:
            self.illness = "insufficient_funds"
        elif self.illness and day >= self.well_on:
            self.illness = ""
        elif not self.illness and chance.random() < _FALLS_ILL:
            weights = [weight for weight, _ in _ILLNESSES.values()]
            [self.illness] = chance.choices(list(_ILLNESSES), weights)
            self.well_on = day + chance.choice(_ILLNESSES[self.illness][1])

    def take_card(self, card: str) -> None:
        """A new one, which is well."""
        self.card = card
        self.illness = ""


def declines(people: Sequence[Person]) -> dict[str, str]:
    """The sandbox's switch: which payment methods are refused, and why."""
    return {person.card: person.illness for person in people if person.illness}
