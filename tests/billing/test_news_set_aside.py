"""News that cannot be followed is set aside and holds up nobody; what cannot be yet waits."""

import asyncpg
import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import REGISTRY

from tests.billing.following import ENDING, FAILED, PAID, Merchant
from tests.databases import DatabaseUrls


async def test_a_row_that_makes_no_sense_holds_up_no_other(active: Merchant) -> None:
    await active.write(FAILED)
    await active.execute(
        """
        insert into mirror_news (tenant_id, kind, object_id, was)
        values ($1, 'customer', 'cus_9', '{"status": 1}')
        """
    )
    await active.write(ENDING)
    before = _set_aside("customer")
    followed = await active.follow()
    assert (followed.rows, await active.news()) == (2, [])
    assert (len(await active.cases()), await active.told()) == (1, ["cancelled"])
    assert await _left(active) == [("cus_9", "ValidationError")]
    assert _set_aside("customer") == before + 1
    assert (await active.follow()).rows == 0


async def test_what_the_database_refuses_of_one_row_holds_up_no_other(
    active: Merchant, database_urls: DatabaseUrls
) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute("alter table messages add constraint poison check (key <> 'receipt:in_2')")
    await active.write(*(replace(PAID, id=f"in_{number}") for number in (2, 3)), ENDING)
    before = _set_aside("invoice")
    with structlog.testing.capture_logs() as logs:
        assert (await active.follow()).rows == 2
    assert await active.told() == ["cancelled", "receipt"]
    assert await _left(active) == [("in_2", "CheckViolationError")]
    (line,) = [each for each in logs if each["event"] == "news_set_aside"]
    assert (line["object"], line["reason"]) == ("in_2", "CheckViolationError")
    assert _set_aside("invoice") == before + 1
    await owner.execute("alter table messages drop constraint poison")
    await owner.close()
    await active.execute(
        "update mirror_news set set_aside_at = null, failure = null where tenant_id = $1"
    )
    await active.follow()
    assert await active.told() == ["cancelled", "receipt", "receipt"]


async def _left(merchant: Merchant) -> list[tuple[str, str]]:
    """What is set aside, and why."""
    rows = await merchant.fetch(
        """
        select object_id, failure
        from mirror_news
        where tenant_id = $1
        and set_aside_at is not null
        """
    )
    return [(row["object_id"], row["failure"]) for row in rows]


def _set_aside(kind: str) -> float:
    name = "guichet_news_set_aside_total"
    return REGISTRY.get_sample_value(name, {"kind": kind}) or 0.0


async def test_news_stays_where_the_database_does_not_answer(active: Merchant) -> None:
    await active.write_quietly(FAILED)
    await active.execute(
        """
        insert into dunning_cases (tenant_id, invoice_id, customer_id, state, opened_at)
        values ($1, 'in_1', 'cus_1', 'waiting', now())
        """
    )
    await active.write(replace(FAILED, attempt_count=2))
    async with active.db.unit(active.tenant_id) as other:
        await other.execute(
            """
            select
            from dunning_cases
            where tenant_id = $1
            for update
            """,
            active.tenant_id,
        )
        with pytest.raises(asyncpg.LockNotAvailableError):
            await active.follow()
    assert await active.news() == ["invoice"]
    assert (await active.follow()).rows == 1
