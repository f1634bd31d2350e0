"""Payment methods as the mirror holds them; card numbers never reach us."""

import msgspec


class PaymentMethod(msgspec.Struct, frozen=True):
    """A card, or another method of the provider, by what may be shown of it."""

    id: str
    type: str
    #: The card's network, such as visa; None for other types.
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
