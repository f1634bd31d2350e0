"""What customers are told of what changed, and how news is taken."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from guichet.db import Database
from guichet.payments.copies import SubscriptionCopy, TestClockCopy
from tenants.configuration import Configuration
from tenants.mails import Mails
from tests.billing.following import (
    ACTIVE,
    CARD,
    DAY,
    ENDING,
    FAILED,
    HOUR,
    NOW,
    PAID,
    PERSON,
    PLAN,
    REFUSED,
    Merchant,
)

_ENDED = replace(ACTIVE, status="canceled", canceled_at=NOW, ended_at=NOW)


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


async def test_nothing_is_long_ago_for_whom_a_clock_has_a_time_of_its_own(
    merchant: Merchant,
) -> None:
    then = datetime(2019, 3, 1, tzinfo=UTC)
    clock = TestClockCopy(id="clock_1", frozen_at=then)
    await merchant.write_quietly(clock, replace(PERSON, test_clock_id="clock_1"), *PLAN)
    await merchant.write(
        replace(CARD, created_at=then),
        replace(ACTIVE, created_at=then),
        replace(PAID, created_at=then, paid_at=then - HOUR),
        replace(REFUSED, created_at=then - 2 * HOUR),
    )
    assert sorted(await merchant.news()) == ["attempt", "invoice", "payment_method", "subscription"]
    await merchant.follow()
    assert await merchant.told() == ["receipt"]


async def test_what_is_long_ago_for_everybody_is_no_news(merchant: Merchant) -> None:
    then = datetime(2019, 3, 1, tzinfo=UTC)
    await merchant.write_quietly(PERSON, *PLAN)
    await merchant.write(
        replace(CARD, created_at=then),
        replace(ACTIVE, created_at=then),
        replace(PAID, created_at=then, paid_at=then),
        replace(REFUSED, created_at=then),
        replace(CARD, id="pm_9", customer_id=None, created_at=then),
    )
    assert await merchant.news() == []


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
    await active.write_and_follow(ENDING)
    (mail,) = await active.mails()
    assert (mail["kind"], mail["at"]) == ("cancelled", NOW)
    assert msgspec.json.decode(mail["facts"], type=dict[str, str]) == {
        "subscription_id": "sub_1",
        "plan": "Lumen",
        "ends_at": msgspec.json.decode(msgspec.json.encode(ACTIVE.current_period_end_at)),
    }
    await active.write_and_follow(replace(ENDING, status="canceled", ended_at=NOW + 15 * DAY))
    assert await active.told() == ["cancelled"]


async def test_a_second_cancellation_is_told_of_too(active: Merchant) -> None:
    await active.write_and_follow(ENDING)
    await active.write_and_follow(ACTIVE)
    assert await active.told() == ["cancelled"]
    await active.write_and_follow(replace(ENDING, canceled_at=NOW + HOUR))
    assert await active.told() == ["cancelled", "cancelled"]


async def test_an_end_at_once_is_told_of(active: Merchant) -> None:
    await active.write_and_follow(_ENDED)
    assert await active.told() == ["cancelled"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ACTIVE, replace(_ENDED, ended_at=NOW - 4 * DAY)),
        (ACTIVE, replace(ENDING, canceled_at=NOW - 4 * DAY)),
        (replace(ACTIVE, status="incomplete"), replace(_ENDED, status="incomplete_expired")),
        (replace(ACTIVE, status="incomplete"), _ENDED),
        (_ENDED, replace(_ENDED, default_payment_method_id="pm_2")),
        (ENDING, replace(ENDING, status="past_due")),
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


async def test_invoices_that_an_import_brings_wait_for_its_charges(active: Merchant) -> None:
    await active.execute(
        """
        insert into imports (tenant_id, copy_no, edition, step, holder, held_until)
        values ($1, 1, 1, 'invoices', gen_random_uuid(), now() + interval '1 minute')
        """
    )
    new = replace(FAILED, id="in_2")
    await active.write_and_follow(new, ENDING)
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
