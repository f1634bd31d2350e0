"""How much work a renewal is, counted and not timed: it does not grow with the account."""

from itertools import count

import pytest

from tests.stripe_sandbox.direct import Direct
from tests.stripe_sandbox.shop import DAY, START

# SQLite statements of one renewal: announced, drafted, finalized, paid, with all its events.
_MOST_STATEMENTS = 70


def _statements_and_steps(customers: int) -> tuple[float, float]:
    """SQL statements and steps of SQLite's machine for each of so many renewals."""
    direct = Direct()
    try:
        price = direct.price(currency="usd", unit_amount=1_000)
        for _ in range(customers):
            customer = direct.customer()
            subscription = direct.post("subscriptions", customer=customer, items=[{"price": price}])
            direct.post(
                f"subscriptions/{subscription['id']}",
                items=[{"id": subscription["items"]["data"][0]["id"], "quantity": 2}],
            )
        sql, statements, steps = direct.api.store.sql, count(), count()
        sql.set_trace_callback(lambda _: next(statements) and None)
        sql.set_progress_handler(lambda: next(steps) and None, 10)
        direct.advance(START + 30 * DAY)
        sql.set_trace_callback(None)
        sql.set_progress_handler(None, 10)
        return next(statements) / customers, next(steps) / customers
    finally:
        direct.close()


def test_a_renewal_costs_the_same_among_many_as_among_few() -> None:
    few, many = _statements_and_steps(5), _statements_and_steps(60)
    assert many[0] <= _MOST_STATEMENTS
    assert many == pytest.approx(few, rel=0.1)
