"""What a subscription is called: the products of its items."""

from collections.abc import Callable, Sequence
from typing import Protocol


class _Price(Protocol):
    @property
    def product(self) -> str: ...


class _Item(Protocol):
    @property
    def price(self) -> _Price | None: ...


class Named(Protocol):
    """A subscription, as far as its name needs it."""

    @property
    def items(self) -> Sequence[_Item]: ...


def plan_name(gettext: Callable[[str], str]) -> Callable[[Named], str]:
    """The function that names a subscription in a language.

    It answers plain text, not markup, so that a sentence may hold it and be escaped once.
    """

    def name(subscription: Named) -> str:
        products = [item.price.product for item in subscription.items if item.price]
        return " + ".join(products) or gettext("Subscription")

    return name
