"""Cases open when a payment fails, and are looked at when something changes for them."""

import asyncio
from datetime import datetime

import pytest
from msgspec.structs import replace

from guichet.billing.dunning.cases.waking import wake_at_for
from guichet.payments.copies import Copy, InvoiceCopy, SubscriptionCopy, TestClockCopy
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


async def test_a_failed_payment_opens_a_case_that_is_looked_at_at_once(merchant: Merchant) -> None:
    await merchant.fail(FAILED, REFUSED)
    case = await merchant.case()
    assert (case["invoice_id"], case["state"], case["is_awake"]) == ("in_1", "waiting", True)
    assert case["opened_at"] == REFUSED.created_at
    assert await merchant.news() == []


async def test_a_case_opens_now_where_no_charge_is_known(merchant: Merchant) -> None:
    await merchant.fail(FAILED)
    opened_at: datetime = (await merchant.case())["opened_at"]
    assert abs(opened_at - NOW) < HOUR


async def test_a_case_opens_in_its_customer_s_time(merchant: Merchant) -> None:
    await merchant.fail(FAILED, clock=NOW + 300 * DAY)
    case = await merchant.case()
    assert (case["opened_at"], case["test_clock_id"]) == (NOW + 300 * DAY, "clock_1")


async def test_a_case_begins_with_a_charge_that_is_told_of_late(merchant: Merchant) -> None:
    await merchant.fail(FAILED)
    await merchant.write_and_follow(REFUSED)
    assert (await merchant.case())["opened_at"] == REFUSED.created_at
    await merchant.write_and_follow(replace(REFUSED, id="ch_2", created_at=NOW))
    assert (await merchant.case())["opened_at"] == REFUSED.created_at


async def test_a_case_does_not_begin_before_its_first_charge(merchant: Merchant) -> None:
    await merchant.fail(FAILED, clock=NOW - DAY)
    assert (await merchant.case())["opened_at"] == NOW - DAY
    await merchant.write_and_follow(REFUSED)
    assert (await merchant.case())["opened_at"] == REFUSED.created_at


@pytest.mark.parametrize(
    "change",
    [
        {"collection_method": "send_invoice"},
        {"attempt_count": 0, "amount_remaining": 800},
        {"amount_remaining": 0},
        {"status": "paid"},
        {"status": "void"},
        {"status": "uncollectible"},
    ],
)
async def test_no_case_opens_of_what_nobody_failed_to_pay(
    merchant: Merchant, change: dict[str, object]
) -> None:
    await merchant.fail(replace(FAILED, **change))
    assert await merchant.cases() == []


@pytest.mark.parametrize(
    ("invoice", "subscription"),
    [
        (FAILED, replace(ACTIVE, status="incomplete")),
        (FAILED, replace(ACTIVE, status="incomplete_expired")),
        (replace(FAILED, subscription_id="sub_2", billing_reason="subscription_create"), ACTIVE),
        (
            replace(FAILED, billing_reason="subscription_update"),
            replace(
                ACTIVE,
                latest_invoice_id="in_1",
                pending_update={"expires_at": NOW + DAY, "items": []},
            ),
        ),
    ],
)
async def test_no_case_opens_of_a_payment_that_something_new_waits_for(
    merchant: Merchant, invoice: InvoiceCopy, subscription: SubscriptionCopy
) -> None:
    await merchant.write_quietly(PERSON, subscription, replace(invoice, attempt_count=0))
    await merchant.write_and_follow(invoice)
    assert await merchant.cases() == []


async def test_an_imported_debt_opens_a_case_within_the_policy_s_window(
    merchant: Merchant,
) -> None:
    recent, old = (replace(REFUSED, created_at=NOW - days * DAY) for days in (13, 15))
    await merchant.write_and_follow(PERSON, ACTIVE, FAILED, recent)
    assert (await merchant.case())["opened_at"] == recent.created_at
    other = replace(
        FAILED, id="in_2", payments=(replace(FAILED.payments[0], payment_intent_id="pi_2"),)
    )
    await merchant.write_and_follow(other, replace(old, id="ch_2", payment_intent_id="pi_2"))
    assert len(await merchant.cases()) == 1


async def test_a_payment_that_is_seen_to_fail_opens_a_case_however_late_that_is(
    merchant: Merchant,
) -> None:
    await merchant.fail(FAILED, replace(REFUSED, created_at=NOW - 100 * DAY))
    assert (await merchant.case())["opened_at"] == NOW - 100 * DAY


async def test_a_case_is_opened_once(merchant: Merchant) -> None:
    await merchant.fail(FAILED, REFUSED)
    await merchant.set_case(state="given_up", closed_at=NOW)
    await merchant.write_and_follow(replace(FAILED, attempt_count=2))
    assert (await merchant.case())["state"] == "given_up"


@pytest.mark.parametrize(
    "news",
    [
        replace(FAILED, attempt_count=2),
        replace(FAILED, next_payment_attempt_at=NOW + DAY),
        PAID,
        replace(FAILED, status="void"),
        replace(FAILED, status="uncollectible"),
        replace(CARD, id="pm_2", created_at=NOW),
        replace(CARD, exp_year=2031),
        replace(CARD, customer_id=None),
        replace(PERSON, default_payment_method_id="pm_2"),
        replace(PERSON, deleted=True),
        replace(ACTIVE, status="past_due"),
        replace(ACTIVE, status="canceled", ended_at=NOW),
        replace(ACTIVE, default_payment_method_id="pm_2"),
        REFUSED,
    ],
)
async def test_news_of_a_case_has_it_looked_at(merchant: Merchant, news: Copy) -> None:
    await merchant.fail()
    await merchant.set_case()
    followed = await merchant.write_and_follow(news)
    assert followed.cases == 1
    assert (await merchant.case())["is_awake"]


@pytest.mark.parametrize(("state", "is_awake"), [("attempting", False), ("unknown", True)])
async def test_whoever_has_a_charge_under_way_is_left_alone_and_who_lost_one_looks(
    merchant: Merchant, state: str, is_awake: bool
) -> None:
    await merchant.fail(clock=NOW)
    await merchant.set_case(state=state, due_at=NOW)
    clock = TestClockCopy(id="clock_1", frozen_at=NOW + DAY)
    await merchant.write_and_follow(PAID, replace(CARD, exp_year=2031), REFUSED, clock)
    case = await merchant.case()
    assert (case["state"], case["is_awake"]) == (state, is_awake)


async def test_what_became_of_our_own_charge_is_no_news(merchant: Merchant) -> None:
    await merchant.fail()
    await merchant.set_case()
    await merchant.execute(
        """
        insert into dunning_attempts (
          tenant_id, invoice_id, number, initiator, idempotency_key, started_at, state, charge_id,
          finished_at
        )
        values ($1, 'in_1', 1, 'merchant', 'key', now(), 'declined', 'ch_1', now())
        """
    )
    await merchant.write_and_follow(REFUSED)
    assert not (await merchant.case())["is_awake"]


async def test_a_case_that_was_given_up_is_open_again_when_its_invoice_is_paid(
    merchant: Merchant,
) -> None:
    await merchant.fail()
    await merchant.set_case(state="given_up", closed_at=NOW)
    await merchant.write_and_follow(replace(FAILED, status="void"))
    assert (await merchant.case())["state"] == "given_up"
    await merchant.write_and_follow(PAID)
    case = await merchant.case()
    assert (case["state"], case["closed_at"], case["is_awake"]) == ("waiting", None, True)


async def test_a_closed_case_is_not_looked_at(merchant: Merchant) -> None:
    await merchant.fail()
    await merchant.set_case(state="recovered", closed_at=NOW)
    await merchant.write_and_follow(PAID, replace(CARD, exp_year=2031))
    case = await merchant.case()
    assert (case["state"], case["is_awake"]) == ("recovered", None)


@pytest.mark.parametrize(("moved_to", "is_awake"), [(NOW + DAY, True), (NOW + DAY / 2, False)])
async def test_a_test_clock_has_those_cases_looked_at_that_fell_due(
    merchant: Merchant, moved_to: datetime, is_awake: bool
) -> None:
    await merchant.fail(clock=NOW)
    await merchant.set_case(due_at=NOW + DAY)
    await merchant.write_and_follow(TestClockCopy(id="clock_1", frozen_at=moved_to))
    assert (await merchant.case())["is_awake"] is is_awake


async def test_news_waits_for_whoever_is_settling_a_case(merchant: Merchant) -> None:
    await merchant.fail()
    await merchant.set_case(state="attempting")
    async with merchant.db.unit(merchant.tenant_id) as settling:
        await settling.execute(
            """
            update dunning_cases
            set state = 'waiting'
            where tenant_id = $1
            """,
            merchant.tenant_id,
        )
        # It has read the mirror before this is written.
        await merchant.write(replace(CARD, exp_year=2031))
        following = asyncio.create_task(merchant.follow())
        assert await merchant.waits(following)
    await following
    assert (await merchant.case())["is_awake"]


async def test_a_clock_does_not_pass_a_time_that_is_being_written(merchant: Merchant) -> None:
    await merchant.fail(clock=NOW)
    await merchant.set_case()
    async with merchant.db.unit(merchant.tenant_id) as settling:
        wake_at = await wake_at_for(settling, "clock_1", NOW + DAY)
        clock = TestClockCopy(id="clock_1", frozen_at=NOW + 2 * DAY)
        moving = asyncio.create_task(merchant.write_and_follow(clock))
        assert await merchant.waits(moving)
        await settling.execute(
            """
            update dunning_cases
            set
              due_at = $2,
              wake_at = $3::text::timestamptz
            where tenant_id = $1
            """,
            merchant.tenant_id,
            NOW + DAY,
            wake_at,
        )
    await moving
    assert (await merchant.case())["is_awake"]


async def test_a_time_is_told_by_the_clock_that_it_is_for(merchant: Merchant) -> None:
    await merchant.write(TestClockCopy(id="clock_1", frozen_at=NOW))
    async with merchant.db.unit(merchant.tenant_id) as unit:
        assert await wake_at_for(unit, "clock_1", NOW) == "-infinity"
        assert await wake_at_for(unit, "clock_1", NOW + DAY) == "infinity"
        assert await wake_at_for(unit, "clock_1", None) == "infinity"
        assert await wake_at_for(unit, "clock_2", NOW) == NOW.isoformat()
        assert await wake_at_for(unit, None, NOW) == NOW.isoformat()


async def test_many_failures_at_once_open_a_case_each(merchant: Merchant) -> None:
    await merchant.write_quietly(PERSON, CARD, *PLAN, ACTIVE)
    invoices = [replace(DUE, id=f"in_{number}", payments=()) for number in range(250)]
    await merchant.write_quietly(*invoices)
    await merchant.write(*(replace(it, attempt_count=1) for it in invoices))
    done = await asyncio.gather(merchant.follow(), merchant.follow(), merchant.follow())
    assert sum(each.rows for each in done) == 250
    assert len(await merchant.cases()) == 250
