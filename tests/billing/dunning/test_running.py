"""Failed payments followed from the first failure to their end, at the sandbox."""

from tests.billing.dunning.stage import Stage


async def test_a_failed_payment_is_tried_again_by_the_policy_until_it_is_paid(
    stage: Stage,
) -> None:
    await stage.owe()
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["taken"], case["step"]) == ("waiting", True, "wait")
    assert [it["state"] for it in await stage.attempts()] == []
    await stage.live(1)
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["decline_code"]) == ("declined", "insufficient_funds")
    assert attempt["charge_id"] == (await stage.charges())[-1].id
    assert await stage.access() == "grace"
    await stage.decline({})
    await stage.live(1)
    case = await stage.case()
    assert case["state"] == "recovered"
    assert [it["state"] for it in await stage.attempts()] == ["declined", "succeeded"]
    assert await stage.access() == "ok"
    assert await stage.mails() == ["payment_failed", "payment_failed", "recovered"]
