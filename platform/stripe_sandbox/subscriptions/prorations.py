"""The arithmetic of prorations: to the second, half a minor unit away from zero."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from stripe_sandbox.passing_time.calendar import Period


def rounded(amount: Fraction | Decimal) -> int:
    """A whole number of minor units; halves go away from zero."""
    exact = Fraction(amount)
    whole, rest = divmod(abs(exact), 1)
    units = int(whole) + (1 if rest >= Fraction(1, 2) else 0)
    return -units if exact < 0 else units


def share(amount: int, period: Period, moment: int) -> int:
    """What an amount for a whole period is worth from a moment to the period's end."""
    remaining = min(max(period.end - moment, 0), period.seconds)
    if remaining in (0, period.seconds):
        return amount if remaining else 0
    return rounded(Fraction(amount * remaining, period.seconds))


def part(amount: int, whole: Period, period: Period) -> int:
    """What an amount for a whole period is worth for a part of it: shares that add up to it."""
    return share(amount, whole, period.start) - share(amount, whole, period.end)


class Debit(NamedTuple):
    """What was billed for an item: an amount in minor units for a stretch of time, and where.

    `pending` is the invoice item that waits for an invoice, until it becomes a line of one.
    """

    amount: int
    start: int
    end: int
    invoice: str | None = None
    line: str | None = None
    pending: str | None = None


def credits_for(debits: Sequence[Debit], moment: int) -> list[tuple[Debit, int]]:
    """What each debit is worth from a moment on: what flexible billing gives back.

    Never more than was debited, so that any chain of changes ends where its last price does
    (https://docs.stripe.com/billing/subscriptions/prorations, credit prorations).
    """
    owed = [
        (debit, share(debit.amount, Period(debit.start, debit.end), moment)) for debit in debits
    ]
    return [(debit, amount) for debit, amount in owed if debit.end > moment]


def remaining_debits(debits: Sequence[Debit], moment: int) -> list[Debit]:
    """The debits of the time before a moment, what came after it having been given back."""
    kept = []
    for debit, returned in [
        (debit, share(debit.amount, Period(debit.start, debit.end), moment)) for debit in debits
    ]:
        if debit.start < moment:
            end = min(debit.end, moment)
            kept.append(debit._replace(amount=debit.amount - returned, end=end))
    return kept


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Share a total by weights so that the parts add up: the largest remainders get the rest."""
    whole = sum(weights)
    if not whole:
        return [0 for _ in weights]
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts


def rounded_decimal(amount: Decimal) -> int:
    """As `rounded`, for the decimal amounts of prices."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
