"""A scenario: what Stripe's documentation says happens, as steps and what comes of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import stripe

from tests.stripe_sandbox.shop import DAY, Shop

Steps: TypeAlias = Callable[[Shop], Awaitable[Any]]


@dataclass(frozen=True)
class Scenario:
    """One row: a sentence, the page that says so, steps, and their outcome.

    `figures`: the page itself has these numbers; elsewhere they follow from its rules.
    """

    sentence: str
    page: str
    steps: Steps
    outcome: Any
    figures: bool = False
    card: str = "pm_card_visa"


def moment(text: str) -> int:
    """Seconds of a date and time in UTC, such as `2026-04-16`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# A month of thirty days, so that half of it is a round figure.
START = moment("2026-04-01")
HALF = START + 15 * DAY
MONTH = START + 30 * DAY
HOUR = 3_600


def day(seconds: int) -> str:
    """A date of a timestamp, to compare with."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


async def status(shop: Shop, subscription: str) -> str:
    """The present status of a subscription."""
    return (await shop.account.v1.subscriptions.retrieve_async(subscription)).status


async def totals(shop: Shop) -> list[int]:
    """The totals of the customer's invoices, newest first."""
    return [invoice.total for invoice in await shop.invoices()]


async def statuses(shop: Shop) -> list[str | None]:
    """The statuses of the customer's invoices, newest first."""
    return [invoice.status for invoice in await shop.invoices()]


async def refusal(doing: Awaitable[Any]) -> stripe.StripeError:
    """The error with which something is refused."""
    try:
        await doing
    except stripe.StripeError as error:
        return error
    raise AssertionError("nothing was refused")


def code_of(error: stripe.StripeError) -> str | None:
    """Its code, or its decline code where it is a card's."""
    assert error.error
    return error.error.decline_code or error.error.code
