"""Failed payments followed from the first failure to their end, at the sandbox."""

import pytest

from guichet.billing.dunning.running import Runner
from guichet.tenancy import Directory
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


@pytest.mark.parametrize(("fate", "state"), [("uncollectible", "given_up"), ("void", "voided")])
async def test_what_is_over_at_the_provider_is_not_charged_before_we_hear_of_it(
    stage: Stage, fate: str, state: str
) -> None:
    await stage.due()
    await stage.decline({})
    invoice = (await stage.case())["invoice_id"]
    if fate == "void":
        await stage.shop.port.void_invoice(invoice, "merchant")
    else:
        await stage.shop.port.mark_uncollectible(invoice, "merchant")
    charged = len(await stage.charges())
    await stage.work()
    assert [it["state"] for it in await stage.attempts()] == ["not_made"]
    assert len(await stage.charges()) == charged
    assert (await stage.case())["state"] == state


async def test_a_case_that_cannot_be_read_holds_up_no_other(stage: Stage) -> None:
    other = await stage.another_case(await stage.due())
    await stage.rows(
        """
        update dunning_cases
        set decision = '{"step": "something of a later release"}'
        where invoice_id = $1
        returning 1
        """,
        other,
    )
    await stage.wake()
    await stage.work()
    assert [it["invoice_id"] != other for it in await stage.attempts()] == [True]
    # Nor does anybody try to read it again and again.
    [row] = await stage.rows(
        "select wake_at > now() as waits from dunning_cases where invoice_id = $1", other
    )
    assert row["waits"]


async def test_nothing_is_decided_for_a_tenant_whose_policy_is_not_known_here(
    stage: Stage,
) -> None:
    await stage.due()
    await stage.wake()
    before = await stage.cases()
    newborn = Directory(stage.settings, stage.db)
    assert not await Runner(stage.db, stage.providers, newborn).run(stage.tenant)
    assert await stage.cases() == before
