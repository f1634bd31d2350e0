"""A year of failed payments under faults: nobody charged twice or forgotten, every word true.

`SOAK_YEAR_DAYS` and `SOAK_YEAR_TENANTS` say how long and how many, `SOAK_SEED` makes the choices of
an earlier run again (which of two comes first is up to the machine). `make soak` lives all of it.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.killing.rig import reachable
from tests.mail_catcher import MailCatcher
from tests.years import checks
from tests.years.course import Course
from tests.years.held import Held, held
from tests.years.kills import Killer
from tests.years.mailbox import received
from tests.years.merchant import Merchant
from tests.years.provider import Provided, provided
from tests.years.settling import settle
from tests.years.stage import Stage, open_stage

pytestmark = pytest.mark.slow

DAYS = int(os.environ.get("SOAK_YEAR_DAYS", "30"))
TENANTS = int(os.environ.get("SOAK_YEAR_TENANTS", "4"))
PEOPLE = 20
#: One kill in so many days.
_KILL_DAYS = 5


@pytest.fixture
def seed() -> int:
    """What all choices are made from."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"\nto repeat: SOAK_SEED={seed} SOAK_YEAR_DAYS={DAYS}\n")
    return seed


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    with MailCatcher() as catcher:
        yield catcher


async def test_a_year_under_faults_charges_nobody_twice_and_forgets_nobody(
    tmp_path_factory: pytest.TempPathFactory, catcher: MailCatcher, seed: int
) -> None:
    directory = reachable(tmp_path_factory.mktemp("year"))
    tally: Counter[str] = Counter()
    began_at = time.monotonic()
    async with open_stage(directory, catcher, TENANTS, PEOPLE, seed) as stage:
        courses = [Course(merchant, catcher, tally) for merchant in stage.merchants]
        killer = Killer(stage, tally, random.Random(f"{seed}/kills"))
        tally["seconds to open"] = round(time.monotonic() - began_at)
        try:
            async with asyncio.TaskGroup() as group:
                for course in courses:
                    group.create_task(course.run(DAYS))
                group.create_task(
                    killer.run(DAYS, DAYS // _KILL_DAYS, lambda: min(it.day for it in courses))
                )
            tally["seconds with the year"] = round(time.monotonic() - began_at)
            await settle(stage, tally)
            wrong = await _verdict(stage, tally)
        finally:
            sys.stdout.write(table(tally))
    assert not wrong, "\n".join(wrong[:40])
    assert tally["attempts of ours"], "nothing was tried, so nothing is shown"


async def _verdict(stage: Stage, tally: Counter[str]) -> list[str]:
    mails = received(stage.catcher)
    wrong: list[str] = []
    for merchant in stage.merchants:
        theirs, ours = await provided(merchant.shop), await held(stage.db, merchant.tenant_id)
        _count(theirs, ours, tally)
        wrong += [f"{merchant.plan.name}: {it}" for it in look(merchant, theirs, ours, mails)]
    wrong += [f"a mail of nobody's was received {count} times" for count in mails.values()]
    return wrong


def look(merchant: Merchant, theirs: Provided, ours: Held, mails: Counter[str]) -> list[str]:
    """Everything that is wrong with one merchant's year."""
    now = datetime.fromtimestamp(merchant.now, UTC)
    plain = {person.id for person in merchant.people if person.is_plain}
    wrong = [
        *checks.paid_twice(theirs),
        *checks.charged_twice(theirs),
        *checks.beyond_caps(theirs),
        *checks.forgotten(ours),
        *checks.misjudged(theirs, ours),
        *checks.untrue_stories(theirs, ours),
        *checks.both_at_work(theirs, ours, merchant.policies),
        *checks.wrong_mails(ours, mails),
    ]
    policy = merchant.plan.policy
    if policy.waits_days and not merchant.plan.later and not merchant.plan.sharers:
        wrong += checks.unlike_policy(theirs, ours, policy, plain, now)
    return wrong


def _count(theirs: Provided, ours: Held, tally: Counter[str]) -> None:
    tally["invoices"] += len(theirs.invoices)
    tally["charges"] += len(theirs.charges)
    tally["attempts of ours"] += sum(it.is_ours for it in theirs.charges)
    tally["customers' own"] += sum(it.is_customers for it in theirs.charges)
    for case in ours.cases.values():
        tally[f"cases {case.state}"] += 1
    for mail in ours.mails:
        tally[f"mails {mail.state}"] += 1


def table(tally: Counter[str]) -> str:
    """What happened, one figure a line."""
    return "\n".join([f"{name:<48}{count:>8}" for name, count in sorted(tally.items())] + [""])
