"""Cases claimed in batches: once each, in turns, and nobody's many keep others waiting."""

import asyncio

from guichet.billing.dunning.cases.claiming import BATCH, claim
from guichet.billing.dunning.running import Runner
from guichet.billing.dunning.steps.beginning import begin
from tests.billing.dunning.stage import Stage

#: More than one run takes.
MANY = 26 * BATCH


async def add_cases(stage: Stage, number: int, status: str = "void") -> None:
    """So many due cases, of invoices that need nothing of the provider."""
    await stage.rows(
        """
        insert into invoices (
          tenant_id, id, customer_id, status, currency, total, amount_paid, amount_remaining,
          attempt_count, created_at, copy_no
        )
        select $1, 'in_' || number, 'cus_1', $3, 'eur', 1000, 0, 1000, 0, now(), 1
        from generate_series(1, $2) as number
        returning 1
        """,
        stage.tenant,
        number,
        status,
    )
    await stage.rows(
        """
        insert into dunning_cases (tenant_id, invoice_id, customer_id, state, opened_at, taken)
        select $1, 'in_' || number, 'cus_1', 'waiting', now(), true
        from generate_series(1, $2) as number
        returning 1
        """,
        stage.tenant,
        number,
    )


async def closed(stage: Stage) -> int:
    [row] = await stage.rows("select count(1) as n from dunning_cases where closed_at is not null")
    return int(row["n"])


async def test_two_claimers_share_what_is_due_and_wait_for_nobody(stage: Stage) -> None:
    await add_cases(stage, 3 * BATCH)
    async with stage.db.unit(stage.tenant) as one, stage.db.unit(stage.tenant) as other:
        first, second = await claim(one, 1), await claim(other, 1)
        assert len(first) == len(second) == BATCH
        assert not set(first) & set(second)
    async with stage.db.unit(stage.tenant) as unit:
        assert len(await claim(unit, 1)) == BATCH
        assert await claim(unit, 1) == []


async def test_a_claim_that_is_rolled_back_has_not_happened(stage: Stage) -> None:
    await add_cases(stage, 1)
    try:
        async with stage.db.unit(stage.tenant) as unit:
            assert await claim(unit, 1) == ["in_1"]
            raise ConnectionError
    except ConnectionError:
        pass
    async with stage.db.unit(stage.tenant) as unit:
        assert await claim(unit, 1) == ["in_1"]


async def test_who_was_due_first_comes_first(stage: Stage) -> None:
    await add_cases(stage, BATCH + 1)
    await stage.rows(
        """
        update dunning_cases
        set wake_at = now() - make_interval(hours => substr(invoice_id, 4)::integer)
        returning 1
        """
    )
    async with stage.db.unit(stage.tenant) as unit:
        assert "in_1" not in await claim(unit, 1)


async def test_a_run_ends_after_some_batches_and_says_that_there_is_more(stage: Stage) -> None:
    await add_cases(stage, MANY)
    assert await stage.runner.run(stage.tenant)
    done = await closed(stage)
    assert 0 < done < MANY
    assert not await stage.runner.run(stage.tenant)
    assert await closed(stage) == MANY


async def test_a_tenant_s_run_is_one_per_process(stage: Stage) -> None:
    await add_cases(stage, MANY)
    ran = await asyncio.gather(*(stage.runner.run(stage.tenant) for _ in range(5)))
    assert sorted(ran) == [False] * 4 + [True]


async def test_nothing_is_claimed_while_the_provider_turns_the_tenant_away(stage: Stage) -> None:
    await add_cases(stage, 1)
    await stage.rows(
        """
        insert into provider_connections as held (tenant_id, rejected_at, reason)
        values ($1, now(), 'key_revoked')
        on conflict (tenant_id) do update set rejected_at = now(), reason = 'key_revoked'
        returning 1
        """,
        stage.tenant,
    )
    await stage.work()
    assert await closed(stage) == 0
    await stage.rows(
        "update provider_connections set rejected_at = null, reason = null returning 1"
    )
    await stage.work()
    assert await closed(stage) == 1


async def test_one_case_that_cannot_be_settled_holds_up_no_other(stage: Stage) -> None:
    await stage.due()
    other = await stage.another_case((await stage.case())["customer_id"])
    [first] = [row for row in await stage.cases() if row["invoice_id"] != other]
    # The provider refuses one of them in a way that nobody has thought of.
    fault = {
        "mode": "error",
        "status": 418,
        "count": 9,
        "path": f"/v1/invoices/{first['invoice_id']}",
    }
    await stage.shop.set(fail_next_requests=[fault])
    await stage.wake()
    await stage.work()
    states = {row["invoice_id"]: row["state"] for row in await stage.attempts()}
    assert states[other] == "declined"
    assert states[first["invoice_id"]] != "declined"


async def test_two_workers_charge_each_case_once(stage: Stage) -> None:
    customer = await stage.due()
    for _ in range(3):
        await stage.another_case(customer)
    # Four invoices of one card: at each batch one of them.
    other = Runner(stage.db, stage.providers, stage.directory)
    before = len(await stage.charges())
    await stage.wake()
    for _ in range(4):
        await asyncio.gather(stage.work(), other.run(stage.tenant))
    attempts = await stage.attempts()
    assert sorted(it["number"] for it in attempts) == [1, 1, 1, 1]
    assert len(await stage.charges()) == before + 4


async def test_an_outdated_decision_is_made_anew_and_one_under_way_is_not(stage: Stage) -> None:
    await stage.owe()
    await stage.work()
    async with stage.db.unit(stage.tenant) as unit:
        assert await claim(unit, (await stage.published()).version) == []
        assert len(await claim(unit, (await stage.published()).version + 1)) == 1
    await stage.pass_time(1)
    async with stage.db.unit(stage.tenant) as unit:
        await begin(unit, await stage.published())
    async with stage.db.unit(stage.tenant) as unit:
        assert await claim(unit, (await stage.published()).version + 1) == []
