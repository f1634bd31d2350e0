"""What an unpaid invoice does to its subscription: grace, then restricted, then blocked access."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from guichet.billing.dunning.decisions.facts import Access
from tenants.retries import RetryPolicy

#: From best to worst.
LADDER: tuple[Access, ...] = ("ok", "grace", "restricted", "blocked")


def access_at(
    now: datetime, opened_at: datetime, policy: RetryPolicy
) -> tuple[Access, datetime | None]:
    """The access that an open case leaves now, and when that gets worse if nothing happens."""
    steps: list[tuple[datetime, Access]] = [
        (opened_at + timedelta(days=policy.grace_days), "restricted")
    ]
    if policy.block_after_days is not None:
        steps.append((opened_at + timedelta(days=policy.block_after_days), "blocked"))
    access = worst(["grace", *(access for at, access in steps if at <= now)])
    later = [at for at, next_access in steps if at > now and is_worse(next_access, access)]
    return access, min(later, default=None)


def is_worse(access: Access, than: Access) -> bool:
    """Whether one access gives less than another."""
    return LADDER.index(access) > LADDER.index(than)


def worst(accesses: Iterable[Access]) -> Access:
    """What several cases make of their subscription; `ok` where there is none."""
    return max(accesses, key=LADDER.index, default="ok")
