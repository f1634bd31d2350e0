"""A customer who pays while nobody knows what became of a retry of ours waits for seconds."""

import asyncio
from datetime import UTC, datetime

import redis as redis_client

from guichet.billing.dunning.running import RUN_DUNNING, Runner
from guichet.outbox import QUEUE
from guichet.settings import Settings
from tests.portal.debts import charges_of, good_card
from tests.portal.shop import Shop
from tests.portal.test_paying import PAID, Desk, desk_for


async def lose_a_retry(shop: Shop, desk: Desk, card: str, *, was_made: bool) -> None:
    """A retry of half an hour ago whose answer was lost; nobody looks before tomorrow."""
    if was_made:
        await shop.stripe.v1.invoices.pay_async(desk.invoice_id, {"payment_method": card})
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            insert into dunning_cases (
              tenant_id, invoice_id, customer_id, state, opened_at, wake_at, policy_version, taken
            )
            values (
              $1, $2, $3, 'unknown', now() - interval '1 day', now() + interval '1 day', 1, false
            )
            """,
            shop.tenant_id,
            desk.invoice_id,
            desk.grace.customer_id,
        )
        await unit.execute(
            """
            insert into dunning_attempts (
              tenant_id, invoice_id, number, initiator, idempotency_key, payment_method_id, state,
              started_at, sent_at
            )
            values ($1, $2, 1, 'merchant', $2, $3, 'unknown', $4, now() - interval '2 hours')
            """,
            shop.tenant_id,
            desk.invoice_id,
            card,
            datetime.now(UTC).replace(microsecond=0),
        )


async def work_when_knocked(settings: Settings, shop: Shop) -> None:
    """What a worker does, once somebody has knocked for the tenant's cases."""
    deployment = shop.deployment
    runner = Runner(deployment.db, deployment.providers, deployment.directory)
    with redis_client.Redis.from_url(settings.redis_url) as client:
        knock = f"{RUN_DUNNING}:{shop.tenant_id}:"
        while not any(it.decode().startswith(knock) for it in client.zrange(QUEUE, 0, -1)):
            await asyncio.sleep(0.05)
    await runner.run(shop.tenant_id)


async def test_a_retry_that_took_the_money_is_found_while_its_customer_waits(
    settings: Settings, shop: Shop
) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        form = await desk.form(card)
        await lose_a_retry(shop, desk, card, was_made=True)
        before = (await charges_of(shop)).count("succeeded")
        async with asyncio.timeout(30):
            answer, _ = await asyncio.gather(
                grace.post(desk.page, form), work_when_knocked(settings, shop)
            )
        assert answer.headers["location"] == desk.page
        assert PAID in (await grace.get(desk.page)).text
        assert (await charges_of(shop)).count("succeeded") == before


async def test_a_retry_that_never_was_lets_its_customer_pay(settings: Settings, shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk, card = await desk_for(shop, grace), await good_card(shop)
        form = await desk.form(card)
        await lose_a_retry(shop, desk, card, was_made=False)
        before = (await charges_of(shop)).count("succeeded")
        async with asyncio.timeout(30):
            answer, _ = await asyncio.gather(
                grace.post(desk.page, form), work_when_knocked(settings, shop)
            )
        assert PAID in (await grace.get(answer.headers["location"])).text
        assert (await charges_of(shop)).count("succeeded") == before + 1
