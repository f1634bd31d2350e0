"""Failed payments of a deployment of processes, each of a tenant of its own, and their ends."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.embedded.postgres import OWNER_ROLE
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tenants.retries import RetryPolicy
from tests.databases import DatabaseUrls
from tests.killing.rig import Rig
from tests.shops import add_portal, open_shop, set_secret
from tests.years import checks
from tests.years.course import advance
from tests.years.following import under_way
from tests.years.held import held
from tests.years.merchant import Merchant
from tests.years.policies import Plan
from tests.years.provider import Provided, provided

#: The promise for whatever was killed or forgotten: it goes on within a minute.
RESUMED_SECONDS = 60.0
_OPENED_SECONDS = 60.0
_DAY = 86_400
_PLAN = Plan("every day", RetryPolicy(collector="guichet", waits_days=(1,) * 8, window_days=20))


@asynccontextmanager
async def merchant_of(
    rig: Rig, settings: Settings, db: Database, slug: str, people: int = 1
) -> AsyncIterator[Merchant]:
    """A merchant whose events are delivered, whose people subscribe by the week."""
    async with AsyncExitStack() as stack:
        key = f"sk_test_{slug.replace('-', '_')}"
        shop = await stack.enter_async_context(open_shop(rig.sandbox_url, key))
        urls = DatabaseUrls(rig.postgres.url(OWNER_ROLE), settings.database_url)
        tenant_id = await add_portal(settings, urls, db, key, slug)
        url = f"http://{slug}.{settings.base_domain}/webhooks/stripe"
        made = await shop.sdk.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
        assert made.secret
        await set_secret(settings, db, tenant_id, WEBHOOK_SECRET, made.secret)
        merchant = Merchant(shop, tenant_id, db, _PLAN, Random(slug))
        await merchant.publish(_PLAN.policy)
        await merchant.settle_in(people)
        await reconcile(db, shop.port, tenant_id, full=True)
        yield merchant


async def pass_days(merchant: Merchant, days: float) -> None:
    merchant.now += round(days * _DAY)
    await advance(merchant)


async def fail_renewals(merchants: Sequence[Merchant]) -> None:
    """Everybody's renewal fails, and waits for its first retry; then the cards are well again."""
    for merchant in merchants:
        for person in merchant.people:
            person.illness = "insufficient_funds"
        await merchant.set_cards()
        await pass_days(merchant, 7.1)
    async with asyncio.timeout(_OPENED_SECONDS):
        for merchant in merchants:
            while await _states(merchant) != Counter(waiting=len(merchant.people)):
                await asyncio.sleep(0.1)
            for person in merchant.people:
                person.illness = ""
            await merchant.set_cards()
    await rest(merchants, _OPENED_SECONDS)


async def rest(merchants: Sequence[Merchant], seconds: float) -> float:
    """Wait until nothing is under way; answers how many seconds it took, or raises TimeoutError."""
    began_at = time.monotonic()
    for merchant in merchants:
        while busy := await _busy(merchant):
            if time.monotonic() > began_at + seconds:
                raise TimeoutError(f"{merchant.shop.key}: {busy}")
            await asyncio.sleep(0.1)
    return time.monotonic() - began_at


async def _busy(merchant: Merchant) -> dict[str, int]:
    """What is under way; mails wait for ever, since there is no server for them here."""
    counts = await under_way(merchant)
    counts.pop("messages", None)
    return counts


async def _states(merchant: Merchant) -> Counter[str]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        rows = await unit.fetch(
            "select state from dunning_cases where tenant_id = $1", merchant.tenant_id
        )
    return Counter(row["state"] for row in rows)


async def attempts_in_doubt(merchant: Merchant) -> int:
    """How many attempts are written down and have no end yet."""
    async with merchant.db.unit(merchant.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select count(1)
            from dunning_attempts
            where tenant_id = $1
            and state in ('started', 'unknown')
            """,
            merchant.tenant_id,
        )
    return count


async def faults(merchant: Merchant) -> list[str]:
    """What is wrong when each failed payment should have been recovered by one charge of ours."""
    theirs, ours = await provided(merchant.shop), await held(merchant.db, merchant.tenant_id)
    states = Counter(case.state for case in ours.cases.values())
    wrong = [
        *checks.paid_twice(theirs),
        *checks.charged_twice(theirs),
        *checks.forgotten(ours),
        *checks.misjudged(theirs, ours),
        *checks.untrue_stories(theirs, ours),
        *_not_recovered(theirs, len(merchant.people)),
    ]
    if states != Counter(recovered=len(merchant.people)):
        wrong.append(f"cases are {dict(states)}")
    return [f"{merchant.shop.key}: {it}" for it in wrong]


def _not_recovered(theirs: Provided, people: int) -> list[str]:
    ours = Counter(charge.succeeded for charge in theirs.charges if charge.is_ours)
    return [] if ours == Counter({True: people}) else [f"charges of ours: {dict(ours)}"]
