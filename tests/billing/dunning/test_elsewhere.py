"""Who paid: a charge of somebody else's is not taken for ours, with whatever card it was made."""

import pytest

from guichet.billing.dunning.attempts.looking import PATIENCE, look
from guichet.billing.dunning.steps.beginning import Task, begin
from guichet.payments.copies import AttemptCopy
from guichet.payments.stripe.adapter import Stripe, Transport
from tests.billing.dunning.stage import Stage
from tests.payments.faults import fail_requests, lose_answers
from tests.payments.hosted import submit


async def die_before_asking(stage: Stage) -> Task:
    """A worker has written its attempt down, and is killed before it asks for the charge."""
    await stage.due()
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    assert task.step == "charge"
    return task


async def pay_at_the_provider(stage: Stage) -> None:
    """The customer pays at the provider's page, with the card that the attempt is for."""
    await stage.decline({})
    [attempt] = await stage.attempts()
    links = await stage.shop.port.invoice_links(attempt["invoice_id"])
    assert links is not None
    assert links.hosted_url is not None
    await submit(links.hosted_url, method=attempt["payment_method_id"])
    assert (await stage.charges())[-1].status == "succeeded"


async def grow_old(stage: Stage) -> None:
    await stage.rows(
        "update dunning_attempts set sent_at = sent_at - interval '2 hours' returning 1"
    )


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("is_old", [False, True])
async def test_an_attempt_that_never_left_is_not_what_its_customer_paid_elsewhere(
    stage: Stage, is_old: bool, is_heard: bool
) -> None:
    await die_before_asking(stage)
    await pay_at_the_provider(stage)
    charged = len(await stage.charges())
    if is_old:
        await grow_old(stage)
    if is_heard:
        await stage.learn()
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["charge_id"]) == ("not_made", None)
    case = await stage.case()
    assert case["state"] == "paid_elsewhere"
    assert len(await stage.charges()) == charged
    assert (await stage.mails())[-1] == "recovered"
    assert await stage.access() == "ok"


@pytest.mark.parametrize("is_old", [False, True])
async def test_a_decline_of_ours_is_told_apart_from_what_was_paid_after_it(
    stage: Stage, is_old: bool
) -> None:
    await stage.due()
    [case] = await stage.cases()
    await lose_answers(stage.shop, f"/v1/invoices/{case['invoice_id']}/pay")
    await stage.work()
    await stage.shop.set(fail_next_requests=[])
    ours = (await stage.charges())[-1].id
    await pay_at_the_provider(stage)
    if is_old:
        await grow_old(stage)
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["charge_id"]) == ("declined", ours)
    assert (await stage.case())["state"] == "paid_elsewhere"


async def test_nobody_guesses_while_the_provider_does_not_say_who_asked(stage: Stage) -> None:
    await die_before_asking(stage)
    await pay_at_the_provider(stage)
    await fail_requests(stage.shop, 500, "/v1/events", "GET")
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], (await stage.case())["state"]) == ("unknown", "unknown")
    await stage.shop.set(fail_next_requests=[])
    await stage.wake()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"


class Silent(Stripe):
    """A provider that tells of nobody's requests."""

    async def was_asked_for(self, attempt: AttemptCopy, idempotency_key: str) -> bool | None:
        return None


async def test_a_charge_of_which_nobody_ever_says_who_asked_is_ours_after_an_hour(
    stage: Stage,
) -> None:
    task = await die_before_asking(stage)
    await pay_at_the_provider(stage)
    transport = Transport()
    silent = Silent(stage.shop.key, stage.shop.url, transport)
    assert task.attempt is not None
    young = await look(silent, task.attempt, frozenset(), PATIENCE / 2)
    old = await look(silent, task.attempt, frozenset(), PATIENCE)
    await transport.close_async()
    assert (young.state, old.state) == ("unknown", "succeeded")
