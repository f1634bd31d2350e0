"""What an unpaid invoice does to its subscription, by the policy's days."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.access import LADDER, access_at, is_worse, worst
from guichet.billing.dunning.decisions.facts import Access
from tenants.retries import RetryPolicy
from tests.billing.dunning.cases import OPENED

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("grace", "block", "days", "access", "changes"),
    [
        (7, None, 0, "grace", 7),
        (7, None, 6.99, "grace", 7),
        (7, None, 7, "restricted", None),
        (7, 14, 7, "restricted", 14),
        (7, 14, 14, "blocked", None),
        (0, None, 0, "restricted", None),
        (0, 0, 0, "blocked", None),
        (7, 3, 1, "grace", 3),
        (7, 3, 3, "blocked", None),
        (7, 14, -1, "grace", 7),
    ],
)
def test_access_follows_the_days_since_the_first_failure(
    grace: int, block: int | None, days: float, access: str, changes: int | None
) -> None:
    policy = RetryPolicy(grace_days=grace, block_after_days=block)
    changes_at = OPENED + changes * DAY if changes is not None else None
    assert access_at(OPENED + days * DAY, OPENED, policy) == (access, changes_at)


@given(st.lists(st.sampled_from(LADDER)))
def test_the_worst_of_several_cases_counts(accesses: list[Access]) -> None:
    found = worst(accesses)
    assert found in accesses or (found, accesses) == ("ok", [])
    assert not any(is_worse(it, found) for it in accesses)
