"""What customers are told of what changed, and how news is taken."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import REGISTRY

from guichet.billing.news.taking import take_news
from guichet.db import Database
from guichet.payments.copies import SubscriptionCopy, TestClockCopy
from tenants.configuration import Configuration
from tenants.mails import Mails
from tests.billing.following import (
    ACTIVE,
    CARD,
    DAY,
    DUE,
    FAILED,
    HOUR,
    NOW,
    PAID,
    PERSON,
    PLAN,
    REFUSED,
    Merchant,
)

_ENDING = replace(
    ACTIVE, cancel_at_period_end=True, cancel_at=ACTIVE.current_period_end_at, canceled_at=NOW
)
_ENDED = replace(ACTIVE, status="canceled", canceled_at=NOW, ended_at=NOW)


@pytest.fixture
async def active(merchant: Merchant) -> Merchant:
    """With one customer, in good standing."""
    await merchant.write_quietly(PERSON, CARD, *PLAN, ACTIVE, DUE)
    return merchant


async def test_a_receipt_is_queued_for_an_invoice_that_became_paid(active: Merchant) -> None:
    await active.write_and_follow(
        replace(PAID, attempt_count=1), replace(REFUSED, status="succeeded")
    )
    (mail,) = await active.mails()
    assert (mail["kind"], mail["key"], mail["state"]) == ("receipt", "receipt:in_1", "queued")
    assert mail["at"] == NOW
    assert msgspec.json.decode(mail["facts"]) == {
        "invoice_id": "in_1",
        "invoice_number": "A-1",
        "subscription_id": "sub_1",
        "amount": {"amount": 900, "currency": "eur"},
        "at": NOW.isoformat().replace("+00:00", "Z"),
        "plan": "Lumen",
        "brand": "visa",
        "last4": "4242",
    }


async def test_a_receipt_names_what_was_bought_where_it_is_no_plan(active: Merchant) -> None:
    line = replace(PAID.lines[0], price_id=None, description="Advice")
    await active.write_and_follow(replace(PAID, lines=(line,)))
    (mail,) = await active.mails()
    assert msgspec.json.decode(mail["facts"])["plan"] == "Advice"


async def test_a_payment_is_told_of_once(active: Merchant) -> None:
    await active.write_and_follow(PAID)
    await active.write_and_follow(replace(PAID, attempt_count=2))
    assert await active.told() == ["receipt"]


@pytest.mark.parametrize(
    "change",
    [{"paid_at": NOW - DAY - HOUR}, {"amount_paid": 0}, {"status": "void"}],
)
async def test_nothing_is_told_of_what_was_not_just_paid(
    active: Merchant, change: dict[str, object]
) -> None:
    await active.write_and_follow(replace(PAID, **change))
    assert await active.told() == []


async def test_a_payment_is_recent_by_its_customer_s_time(active: Merchant) -> None:
    clock = TestClockCopy(id="clock_1", frozen_at=NOW + 2 * DAY)
    await active.write_quietly(replace(PERSON, test_clock_id="clock_1"), clock)
    await active.write_and_follow(PAID)
    assert await active.told() == []


async def test_of_a_payment_that_once_failed_the_case_tells(active: Merchant) -> None:
    await active.write_and_follow(FAILED)
    await active.write_and_follow(PAID)
    assert await active.told() == []


async def test_what_a_merchant_switched_off_is_kept_as_suppressed(active: Merchant) -> None:
    active.configuration = Configuration(mails=Mails(switched_off=("receipt",)))
    await active.write_and_follow(PAID)
    (mail,) = await active.mails()
    assert (mail["state"], mail["reason"]) == ("suppressed", "switched_off")


async def test_an_end_that_is_set_is_told_of_once(active: Merchant) -> None:
    await active.write_and_follow(_ENDING)
    (mail,) = await active.mails()
    assert (mail["kind"], mail["at"]) == ("cancelled", NOW)
    assert msgspec.json.decode(mail["facts"], type=dict[str, str]) == {
        "subscription_id": "sub_1",
        "plan": "Lumen",
        "ends_at": msgspec.json.decode(msgspec.json.encode(ACTIVE.current_period_end_at)),
    }
    await active.write_and_follow(replace(_ENDING, status="canceled", ended_at=NOW + 15 * DAY))
    assert await active.told() == ["cancelled"]


async def test_a_second_cancellation_is_told_of_too(active: Merchant) -> None:
    await active.write_and_follow(_ENDING)
    await active.write_and_follow(ACTIVE)
    assert await active.told() == ["cancelled"]
    await active.write_and_follow(replace(_ENDING, canceled_at=NOW + HOUR))
    assert await active.told() == ["cancelled", "cancelled"]


async def test_an_end_at_once_is_told_of(active: Merchant) -> None:
    await active.write_and_follow(_ENDED)
    assert await active.told() == ["cancelled"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ACTIVE, replace(_ENDED, ended_at=NOW - 4 * DAY)),
        (ACTIVE, replace(_ENDING, canceled_at=NOW - 4 * DAY)),
        (replace(ACTIVE, status="incomplete"), replace(_ENDED, status="incomplete_expired")),
        (replace(ACTIVE, status="incomplete"), _ENDED),
        (_ENDED, replace(_ENDED, default_payment_method_id="pm_2")),
        (_ENDING, replace(_ENDING, status="past_due")),
        (ACTIVE, replace(ACTIVE, status="past_due")),
    ],
)
async def test_no_end_is_told_of_that_is_none_or_long_ago(
    active: Merchant, before: SubscriptionCopy, after: SubscriptionCopy
) -> None:
    await active.write_quietly(before)
    await active.write_and_follow(after)
    assert await active.told() == []


async def test_of_an_end_for_want_of_payment_the_case_tells(active: Merchant) -> None:
    await active.write_and_follow(FAILED)
    await active.write_and_follow(_ENDED)
    assert await active.told() == []


async def test_a_row_that_makes_no_sense_holds_up_no_other(active: Merchant) -> None:
    await active.write(FAILED)
    await active.execute(
        """
        insert into mirror_news (tenant_id, kind, object_id, was)
        values ($1, 'customer', 'cus_9', '{"status": 1}')
        """
    )
    await active.write(_ENDING)
    before = _dropped()
    with structlog.testing.capture_logs() as logs:
        followed = await active.follow()
    assert (followed.rows, await active.news()) == (2, [])
    assert (len(await active.cases()), await active.told()) == (1, ["cancelled"])
    (dropped,) = [each for each in logs if each["event"] == "news_dropped"]
    assert (dropped["object"], dropped["was"]) == ("cus_9", '{"status": 1}')
    assert _dropped() == before + 1


def _dropped() -> float:
    return REGISTRY.get_sample_value("guichet_news_dropped_total", {"kind": "customer"}) or 0.0


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


async def test_invoices_that_an_import_brings_wait_for_its_charges(active: Merchant) -> None:
    await active.execute(
        """
        insert into imports (tenant_id, copy_no, edition, step, holder, held_until)
        values ($1, 1, 1, 'invoices', gen_random_uuid(), now() + interval '1 minute')
        """
    )
    new = replace(FAILED, id="in_2")
    await active.write_and_follow(new, _ENDING)
    assert (await active.news(), await active.told()) == (["invoice"], ["cancelled"])
    charge = replace(REFUSED, created_at=NOW - 2 * DAY)
    await active.write(charge)
    await active.execute("update imports set held_until = null where tenant_id = $1")
    await active.follow()
    assert (await active.case())["opened_at"] == charge.created_at


async def test_nothing_is_told_of_payments_that_an_import_brings(active: Merchant) -> None:
    await active.execute(
        """
        insert into imports (tenant_id, copy_no, edition, step, finished_at)
        values ($1, 1, 1, 'unlisted', now() + interval '1 hour')
        """
    )
    await active.write_and_follow(replace(PAID, id="in_2"))
    assert await active.told() == []
    await active.write_and_follow(PAID)
    assert await active.told() == ["receipt"]


async def test_what_somebody_has_in_hand_holds_up_nobody(active: Merchant) -> None:
    await active.write(PAID)
    async with active.db.unit(active.tenant_id) as other:
        assert [row.object_id for row in await take_news(other)] == ["in_1"]
        await active.write(_ENDING)
        following = asyncio.create_task(active.follow())
        assert not await active.waits(following)
    assert await active.told() == ["cancelled"]


async def test_two_who_follow_at_the_same_time_tell_everything_once(active: Merchant) -> None:
    people = [replace(PERSON, id=f"cus_{number}") for number in range(120)]
    held = [replace(ACTIVE, id=f"sub_{it.id}", customer_id=it.id) for it in people]
    await active.write_quietly(*people, *held)
    await active.write(*(replace(_ENDING, id=it.id, customer_id=it.customer_id) for it in held))
    done = await asyncio.gather(*(active.follow() for _ in range(3)))
    assert sum(each.mails for each in done) == 120
    assert await active.told() == ["cancelled"] * 120


async def test_news_of_another_tenant_is_not_touched(active: Merchant) -> None:
    await active.write(PAID)
    stranger = Merchant(active.db, await _other_tenant(active.db))
    assert (await stranger.follow()).rows == 0
    assert await active.news() == ["invoice"]


async def _other_tenant(db: Database) -> UUID:
    async with db.system() as connection:
        tenant_id: UUID = await connection.fetchval(
            """
            insert into tenants (agency_id, slug, name)
            select id, 'volta', 'Volta'
            from agencies
            returning id
            """
        )
    return tenant_id
