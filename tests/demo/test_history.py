"""The demo's year ends with a renewal of Grace's that has just failed, whatever day it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from guichet.demo.history import live_a_year
from guichet.demo.merchants import LUMEN, MARMITE, Merchant


@pytest.fixture
async def client(sandbox: str, stripe_key: str) -> AsyncIterator[stripe.StripeClient]:
    """A client of a new account, which leaves no connection open."""
    transport = stripe.HTTPXClient()
    yield stripe.StripeClient(stripe_key, base_addresses={"api": sandbox}, http_client=transport)
    await transport.close_async()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("merchant", [LUMEN, MARMITE], ids=lambda merchant: merchant.slug)
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        # The day before was a leap day, the last of a long month, the last of a short one.
        datetime(2028, 3, 1, 12, tzinfo=UTC),
        datetime(2027, 4, 1, 12, tzinfo=UTC),
        datetime(2027, 3, 1, 12, tzinfo=UTC),
    ],
    ids=lambda now: now.date().isoformat(),
)
async def test_one_payment_of_hers_failed_a_day_or_two_ago(
    client: stripe.StripeClient, merchant: Merchant, now: datetime
) -> None:
    await live_a_year(client, merchant, now)
    (grace,) = (await client.v1.customers.list_async({"email": "grace@example.com"})).data
    found = client.v1.invoices.list_async({"customer": grace.id, "limit": 100})
    newest, *others = (await found).data
    assert (newest.status, newest.attempt_count) == ("open", 1)
    assert (
        timedelta(days=1) < now - datetime.fromtimestamp(newest.created, UTC) <= timedelta(days=2.1)
    )
    assert newest.next_payment_attempt is not None
    assert {invoice.status for invoice in others} == {"paid"}
    assert len(others) == (12 if merchant is LUMEN else 52)
