"""Amounts of money in a currency's minor unit, and how a locale writes them."""

from decimal import Decimal

import msgspec
from babel.numbers import format_currency, get_currency_precision

# Stripe keeps these currencies with other decimals than ISO 4217 gives them.
# Source: Stripe's documentation, "Supported currencies", special cases: ISK and UGX are
# zero-decimal for people but are sent with two decimals.
_STRIPE_DECIMALS = {"isk": 2, "ugx": 2}


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in minor units (cents; whole yen) of a lower-case ISO 4217 currency."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.amount * count, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other.amount

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.amount).scaleb(-minor_digits(self.currency))


def minor_digits(currency: str) -> int:
    """How many decimals the minor unit of a currency has at the provider: eur 2, jpy 0, kwd 3."""
    return _STRIPE_DECIMALS.get(currency, get_currency_precision(currency.upper()))


def format_money(money: Money, locale: str) -> str:
    """Write an amount as people of the locale do: `€12.00`, `12,00 €`, `¥1,200`."""
    whole = money.amount % 10 ** minor_digits(money.currency) == 0
    digits = None if get_currency_precision(money.currency.upper()) or whole else 2
    return format_currency(
        money.decimal, money.currency.upper(), locale=locale, currency_digits=digits is None
    )
