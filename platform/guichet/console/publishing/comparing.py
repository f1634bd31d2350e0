"""Comparing two configurations of a merchant for a page, and for the audit log."""

from collections.abc import Iterator

from guichet.billing.catalog import Price, find_prices
from guichet.console.publishing.differences import Changes, differences
from guichet.db import Unit
from guichet.theming.locale import Speech, gettext, speech
from tenants.configuration import Configuration

#: In the audit log: enough to know what was done; the versions themselves are kept.
_MOST_TOLD, _LONGEST_TOLD = 100, 200


async def compare(
    unit: Unit, before: Configuration, after: Configuration, locale: str
) -> tuple[Changes, ...]:
    """What `after` says that `before` does not, in the words of a language."""
    names = await _plan_names(unit, speech(locale), before, after)
    return differences(before, after, gettext(locale), names)


def told(changes: tuple[Changes, ...]) -> list[str]:
    """Changes as lines of the audit log."""
    lines = [
        f"{part.heading}: {it.label}: {it.before or '–'} → {it.after or '–'}"[:_LONGEST_TOLD]
        for part in changes
        for it in part.changes
    ]
    return lines[:_MOST_TOLD]


async def tell(unit: Unit, before: Configuration, after: Configuration) -> list[str]:
    """What changes, as lines of the audit log."""
    return told(await compare(unit, before, after, "en"))


async def _plan_names(unit: Unit, words: Speech, *configurations: Configuration) -> dict[str, str]:
    """What people call the prices and products that the configurations name, by id."""
    wanted = {name for it in configurations for name in _named(it) if name}
    prices = await find_prices(unit, list(wanted))
    names = {price.id: _name(price, words) for price in prices.values()}
    return names | {price.product_id: price.product for price in prices.values()}


def _named(configuration: Configuration) -> Iterator[str]:
    for plan in configuration.plans:
        yield plan.price_id
    for rule in configuration.changes.rules:
        yield rule.from_plan
        yield rule.to_plan


def _name(price: Price, words: Speech) -> str:
    """Such as `Team, $29.00 per month`: a product may have several prices."""
    if price.amount is None:
        return price.product
    interval = words.interval(price.interval, price.interval_count)
    return f"{price.product}, {words.money(price.amount)} {interval}".strip()
