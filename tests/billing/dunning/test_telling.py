"""What customers are told of failed payments: each thing once, with what the mail needs."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from tenants.mails import Mails
from tenants.retries import DeclineActions
from tests.billing.dunning.stage import DAILY, Stage


async def facts(stage: Stage, key: str) -> dict[str, object]:
    [row] = await stage.rows(
        "select facts::text from messages where key like $1 || '%' order by key limit 1", key
    )
    decoded: dict[str, object] = msgspec.json.decode(row["facts"])
    return decoded


async def test_the_first_failure_is_told_with_what_follows_from_it(stage: Stage) -> None:
    await stage.owe()
    await stage.work()
    case = await stage.case()
    told = await facts(stage, "payment_failed:")
    assert told["invoice_id"] == case["invoice_id"]
    assert told["amount"] == {"amount": 1000, "currency": "eur"}
    assert (told["plan"], told["reason"]) == ("Lumen", "insufficient_funds")
    assert (told["brand"], told["last4"]) == ("visa", "4242")
    assert isinstance(told["next_attempt_at"], str)
    assert datetime.fromisoformat(told["next_attempt_at"]) == case["next_attempt_at"]
    assert told["asks_for"] is None


async def test_each_failure_is_told_once(stage: Stage) -> None:
    await stage.owe()
    await stage.work()
    for _ in range(3):
        await stage.wake()
        await stage.work()
    await stage.live(2)
    rows = await stage.rows("select key, state from messages order by key")
    invoice = (await stage.case())["invoice_id"]
    assert [row["key"] for row in rows] == [
        f"payment_failed:{invoice}:{number}" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("zone", "states"),
    [("UTC", ["queued", "suppressed"]), ("Asia/Tokyo", ["queued", "queued"])],
)
async def test_a_failure_is_told_once_on_a_day_of_the_customer_s(
    stage: Stage, zone: str, states: list[str]
) -> None:
    """The second one is in the evening of the same day in London, and after midnight in Tokyo."""
    await stage.publish(replace(DAILY, waits_days=(0.25, 0.25, 3), time_zone=zone))
    stage.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    await stage.owe()
    await stage.work()
    await stage.live(0.25, 0.25)
    rows = await stage.rows("select state from messages order by key")
    assert [row["state"] for row in rows] == states


async def test_a_bank_that_wants_its_customer_is_told_as_such(stage: Stage) -> None:
    await stage.owe("authentication_required")
    await stage.work()
    assert await stage.mails() == ["action_needed"]
    assert (await facts(stage, "action_needed:"))["asks_for"] == "authenticate"


async def test_a_card_that_is_no_good_is_asked_to_be_replaced(stage: Stage) -> None:
    await stage.owe("expired_card")
    await stage.work()
    told = await facts(stage, "payment_failed:")
    assert (told["asks_for"], told["reason"]) == ("new_card", "expired_card")
    assert told["next_attempt_at"] is None


async def test_an_issuer_s_suspicion_is_never_told(stage: Stage) -> None:
    await stage.owe("stolen_card")
    await stage.work()
    assert (await facts(stage, "payment_failed:"))["reason"] == "declined"


async def test_what_failed_long_ago_is_no_news(stage: Stage) -> None:
    await stage.owe()
    await stage.rows(
        """
        update payment_attempts
        set created_at = created_at - interval '4 days'
        where status = 'failed'
        returning 1
        """
    )
    await stage.work()
    assert await stage.mails() == []


async def test_a_merchant_who_switched_mails_off_sends_none(stage: Stage) -> None:
    await stage.publish(DAILY, Mails(switched_off=("payment_failed",)))
    await stage.owe()
    await stage.work()
    [row] = await stage.rows("select state, reason from messages")
    assert (row["state"], row["reason"]) == ("suppressed", "switched_off")


async def test_nothing_is_told_of_a_failure_before_it_is_known_what_follows(stage: Stage) -> None:
    await stage.due()
    before = await stage.mails()
    await stage.shop.set(
        fail_next_requests=[{"mode": "error", "status": 500, "count": 99, "path": "/v1/"}]
    )
    await stage.work()
    assert (await stage.case())["state"] == "unknown"
    assert await stage.mails() == before


@pytest.mark.parametrize("step", [0.5, 1.0])
async def test_access_gets_worse_while_nothing_is_paid_and_better_at_once(
    stage: Stage, step: float
) -> None:
    policy = msgspec.structs.replace(
        DAILY,
        grace_days=2,
        block_after_days=4,
        declines=DeclineActions(later="ask"),
    )
    await stage.publish(policy)
    customer = await stage.owe()
    opened_at = (await stage.rows("select opened_at from dunning_cases"))[0]["opened_at"]
    seen = []
    while stage.now < opened_at + timedelta(days=5):
        await stage.work()
        seen.append(await stage.access())
        await stage.pass_time(step)
    assert [it for n, it in enumerate(seen) if n == 0 or it != seen[n - 1]] == [
        "grace",
        "restricted",
        "blocked",
    ]
    card = await stage.shop.set_card(customer, "pm_card_mastercard")
    assert card
    await stage.learn()
    await stage.work()
    assert await stage.access() == "ok"


async def test_a_subscription_s_access_is_the_worst_of_its_cases(stage: Stage) -> None:
    await stage.due()
    [held] = await stage.rows("select id from subscriptions")
    other = await stage.another_case((await stage.case())["customer_id"])
    await stage.rows(
        """
        update dunning_cases
        set subscription_id = $2, access = 'blocked', wake_at = 'infinity'
        where invoice_id = $1
        returning 1
        """,
        other,
        held["id"],
    )
    await stage.decline({})
    [first] = [row["invoice_id"] for row in await stage.cases() if row["invoice_id"] != other]
    await stage.work()
    states = {row["invoice_id"]: row["state"] for row in await stage.cases()}
    assert states[first] == "recovered"
    assert await stage.access() == "blocked"
