"""Single values of Stripe's objects: times, references, amounts finer than a minor unit."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import cast, overload

from stripe import StripeObject


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


def exact(amount: Decimal | float | str | None) -> Decimal | None:
    """A decimal without trailing zeros, so that `10.0` and `10` are the same text."""
    if amount is None:
        return None
    plain = Decimal(str(amount)).normalize()
    # Normalized, a hundred is 1E+2.
    return plain.quantize(Decimal(1)) if plain == plain.to_integral() else plain
