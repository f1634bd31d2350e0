"""What Stripe's documentation says happens, happens here: one row for each thing it says."""

from collections import Counter

import pytest

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.scenarios import changes, lives, money, requests, retries
from tests.stripe_sandbox.scenarios.scenario import START, Scenario
from tests.stripe_sandbox.shop import open_shop

_ROWS = [*changes.ROWS, *lives.ROWS, *money.ROWS, *requests.ROWS, *retries.ROWS]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.sentence) for row in _ROWS])
async def test_it_happens_as_documented(account: Account, row: Scenario) -> None:
    shop = await open_shop(account, row.card, START)
    assert await row.steps(shop) == row.outcome


def test_every_row_cites_a_page_and_says_something_of_its_own() -> None:
    assert [
        row.sentence for row in _ROWS if not row.page.startswith("https://docs.stripe.com/")
    ] == []
    assert [
        sentence for sentence, count in Counter(r.sentence for r in _ROWS).items() if count > 1
    ] == []
    assert len(_ROWS) >= 40
