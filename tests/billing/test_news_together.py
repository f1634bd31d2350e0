"""Several who follow the news of one tenant at the same time."""

import asyncio

from msgspec.structs import replace

from guichet.billing.news.taking import take_news
from guichet.payments.copies import AttemptCopy, Copy, InvoiceCopy
from tests.billing.following import (
    ACTIVE,
    DAY,
    DUE,
    ENDING,
    FAILED,
    PAID,
    PERSON,
    REFUSED,
    Merchant,
)
from tests.billing.samples import INVOICE

_ROUNDS = 5


async def test_what_somebody_has_in_hand_holds_up_nobody(active: Merchant) -> None:
    await active.write(PAID)
    async with active.db.unit(active.tenant_id) as other:
        assert [row.object_id for row in await take_news(other)] == ["in_1"]
        await active.write(ENDING)
        following = asyncio.create_task(active.follow())
        assert not await active.waits(following)
    assert await active.told() == ["cancelled"]


async def test_two_who_follow_at_the_same_time_tell_everything_once(active: Merchant) -> None:
    people = [replace(PERSON, id=f"cus_{number}") for number in range(120)]
    held = [replace(ACTIVE, id=f"sub_{it.id}", customer_id=it.id) for it in people]
    await active.write_quietly(*people, *held)
    await active.write(*(replace(ENDING, id=it.id, customer_id=it.customer_id) for it in held))
    done = await asyncio.gather(*(active.follow() for _ in range(3)))
    assert sum(each.mails for each in done) == 120
    assert await active.told() == ["cancelled"] * 120


async def test_two_who_follow_news_of_the_same_cases_never_wait_for_each_other_both(
    merchant: Merchant,
) -> None:
    """One has news of *b* and a charge for *a*, the other news of *a* and a charge for *b*."""
    names = ("a", "b", "z")
    await merchant.write_quietly(*(copy for it in names for copy in _debtor(it)))
    await merchant.write_and_follow(*(_invoice(it, 1) for it in names))
    assert len(await merchant.cases()) == 3
    for tries in range(2, 2 + _ROUNDS):
        async with merchant.db.unit(merchant.tenant_id) as holder:
            # Whoever follows has locked what comes before *z* by the time that they wait for it.
            await holder.execute(
                """
                select
                from dunning_cases
                where tenant_id = $1
                and invoice_id = 'in_z'
                for update
                """,
                merchant.tenant_id,
            )
            await merchant.write(_charge("a", tries), _invoice("b", tries), _invoice("z", tries))
            first = asyncio.create_task(merchant.follow())
            await _waiting(merchant, 1, first)
            await merchant.write(_charge("b", tries), _invoice("a", tries))
            second = asyncio.create_task(merchant.follow())
            await _waiting(merchant, 2, first, second)
        done = await asyncio.gather(first, second)
        assert [each.rows for each in done] == [3, 2]
    begun = {case["invoice_id"]: case["opened_at"] for case in await merchant.cases()}
    assert begun["in_a"] == begun["in_b"] == REFUSED.created_at - (1 + _ROUNDS) * DAY


def _debtor(name: str) -> tuple[Copy, Copy]:
    return replace(PERSON, id=f"cus_{name}"), _invoice(name, 0)


def _invoice(name: str, tries: int) -> InvoiceCopy:
    payment = replace(INVOICE.payments[0], id=f"inpay_{name}", payment_intent_id=f"pi_{name}")
    return replace(
        FAILED if tries else DUE,
        id=f"in_{name}",
        customer_id=f"cus_{name}",
        subscription_id=None,
        payments=(payment,),
        attempt_count=tries,
    )


def _charge(name: str, tries: int) -> AttemptCopy:
    """An earlier one each time, so that the case has to begin earlier; of no known customer."""
    return replace(
        REFUSED,
        id=f"ch_{name}_{tries}",
        customer_id=None,
        payment_intent_id=f"pi_{name}",
        created_at=REFUSED.created_at - tries * DAY,
    )


async def _waiting(merchant: Merchant, count: int, *tasks: "asyncio.Task[object]") -> None:
    """Return when so many wait for somebody's lock, or somebody ended instead."""
    waiting = 0
    while waiting < count and not any(task.done() for task in tasks):
        async with merchant.db.pool.acquire() as connection:
            waiting = await connection.fetchval(
                """
                select count(1)
                from pg_stat_activity
                where datname = current_database()
                and wait_event_type = 'Lock'
                """
            )
        await asyncio.sleep(0.01)
