"""Every state of a case and of an attempt, with everything that may happen to it."""

import contextlib
import itertools
from typing import get_args
from uuid import uuid4

import msgspec
import pytest

from guichet.billing.dunning.attempts.attempting import write_attempts
from guichet.billing.dunning.attempts.finishing import finish
from guichet.billing.dunning.attempts.outcomes import Outcome
from guichet.billing.dunning.cases.cases import BUSY, CLOSED, Attempt, AttemptState, State
from guichet.billing.dunning.cases.loading import load_cases
from guichet.billing.dunning.cases.opening import wake_cases
from guichet.billing.dunning.decisions.facts import Decision, Reason
from guichet.billing.dunning.paying import RetryUnderWay, start_customer_payment
from guichet.billing.dunning.steps.beginning import begin
from guichet.billing.dunning.steps.settling import Shown, settle_attempt, settle_end, settle_taking
from guichet.db import Unit
from tests.billing.dunning.stage import Stage

STATES = get_args(State)
_FREE = ("waiting", "asking", "provider")

#: What becomes of a case that is due, by its state and by what happens; None is refused, or ignored
#: because there is nothing to do. `waiting` with `at once` beside it: somebody looks at it.
CASES: dict[tuple[str, str], str | None] = {
    **{(state, "is due"): "attempting" for state in _FREE},
    # Whoever comes after a lease finds no charge under way here, and decides anew.
    ("attempting", "is due"): "attempting",
    ("unknown", "is due"): "attempting",
    **{(state, "is due"): None for state in CLOSED},
    **{(state, "is in the news"): f"{state} at once" for state in _FREE},
    ("attempting", "is in the news"): None,
    # The news may be what became of it; a look charges nothing a second time.
    ("unknown", "is in the news"): "unknown at once",
    **{(state, "is in the news"): None for state in CLOSED},
    **{(state, "was paid, say the news"): f"{state} at once" for state in _FREE},
    ("attempting", "was paid, say the news"): None,
    ("unknown", "was paid, say the news"): "unknown at once",
    ("given_up", "was paid, say the news"): "waiting at once",
    **{
        (state, "was paid, say the news"): None
        for state in ("recovered", "voided", "paid_elsewhere")
    },
    **{(state, "is paid by its customer"): state for state in (*_FREE, *CLOSED)},
    ("attempting", "is paid by its customer"): None,
    ("unknown", "is paid by its customer"): None,
    # A try that was not made brings nothing: the case waits for the next one.
    **{(state, "has a try settled"): "waiting" for state in (*_FREE, *BUSY)},
    **{(state, "has a try settled"): None for state in CLOSED},
    **{(state, "is taken over"): "waiting at once" for state in _FREE},
    **{(state, "is taken over"): None for state in (*BUSY, *CLOSED)},
    ("attempting", "is ended"): "given_up",
    **{(state, "is ended"): None for state in STATES if state != "attempting"},
}
EVENTS = sorted({event for _, event in CASES})

_NOT_MADE = Outcome(state="not_made")
_END = Decision(step="end", reasons=(Reason("window_over"),))


async def happen(stage: Stage, unit: Unit, event: str, invoice: str, attempt: Attempt) -> None:
    published = await stage.published()
    [case] = await unit.fetch("select state, customer_id from dunning_cases")
    shown = Shown(copy_no=1)
    match event:
        case "is due":
            await begin(unit, published)
        case "is in the news":
            await wake_cases(unit, [invoice])
        case "was paid, say the news":
            await wake_cases(unit, [invoice], paid=[invoice])
        case "is paid by its customer":
            await start_customer_payment(
                unit, case["customer_id"], invoice, attempt.payment_method_id, uuid4()
            )
        case "has a try settled":
            if case["state"] in BUSY:
                await write_attempts(unit, [attempt], [None])
            await settle_attempt(unit, attempt, _NOT_MADE, shown, published)
        case "is taken over":
            await settle_taking(unit, invoice, True, shown, published)
        case "is ended":
            await settle_end(unit, invoice, _END, shown, published)


async def seen(unit: Unit) -> str:
    [row] = await unit.fetch("select state, wake_at = '-infinity' as at_once from dunning_cases")
    return f"{row['state']} at once" if row["at_once"] else str(row["state"])


async def put(unit: Unit, state: str) -> None:
    """Make a case that is due be in a state."""
    await unit.execute(
        """
        update dunning_cases
        set
          state = $1,
          closed_at = case when $2 then now() end,
          wake_at = case when not $2 then now() - interval '1 hour' end,
          taken = true,
          decision = case
            when $1 = 'attempting' then jsonb_set(decision, '{step}', '"end"')
            else decision
          end
        """,
        state,
        state in CLOSED,
    )


async def test_every_state_of_a_case_knows_what_may_happen_to_it(stage: Stage) -> None:
    assert set(CASES) == set(itertools.product(STATES, EVENTS))
    customer = await stage.due()
    invoice = (await stage.case())["invoice_id"]
    [card] = [it.id async for it in stage.shop.port.list_payment_methods(customer)]
    wrong = {}
    for (state, event), expected in CASES.items():
        with contextlib.suppress(_TakenBack):
            async with stage.db.unit(stage.tenant) as unit:
                await put(unit, state)
                before = await seen(unit)
                [loaded] = await load_cases(unit, [invoice])
                attempt = Attempt(
                    invoice_id=invoice,
                    number=1,
                    initiator="merchant",
                    idempotency_key="key",
                    payment_method_id=card,
                    started_at=loaded.facts.now,
                    sent_at=loaded.wall_now,
                )
                try:
                    await happen(stage, unit, event, invoice, attempt)
                    after = await seen(unit)
                except RetryUnderWay:
                    after = before
                if after != (before if expected is None else expected):
                    wrong[state, event] = after
                raise _TakenBack
    assert wrong == {}


class _TakenBack(Exception):
    """Ends a unit without a trace."""


@pytest.mark.parametrize("initiator", ["merchant", "customer"])
async def test_every_state_of_an_attempt_knows_what_may_become_of_it(
    stage: Stage, initiator: str
) -> None:
    """What is final stays, but for what its customer gave up and pays at the bank after all."""
    await stage.due()
    invoice = (await stage.case())["invoice_id"]
    wrong = {}
    for state, told in itertools.product(get_args(AttemptState), get_args(AttemptState)):
        is_open = state in ("started", "unknown") or (state, initiator) == (
            "needs_authentication",
            "customer",
        )
        with contextlib.suppress(_TakenBack):
            async with stage.db.unit(stage.tenant) as unit:
                await unit.execute(
                    """
                    insert into dunning_attempts (
                      tenant_id, invoice_id, number, initiator, idempotency_key, state,
                      started_at, finished_at
                    )
                    values ($1, $2, 1, $3, 'key', $4, now(), case when not $5 then now() end)
                    """,
                    stage.tenant,
                    invoice,
                    initiator,
                    state,
                    is_open,
                )
                text = await unit.fetchval("select to_json(own)::text from dunning_attempts as own")
                attempt = msgspec.json.decode(text, type=Attempt)
                assert attempt.is_open == is_open
                is_late = (initiator, state, told) == ("customer", "not_made", "succeeded")
                is_news = is_open or is_late
                written = await finish(unit, attempt, Outcome(state=told))
                [row] = await unit.fetch("select state, finished_at from dunning_attempts")
                if (written, row["state"]) != (is_news, told if is_news else state):
                    wrong[state, told] = row["state"]
                raise _TakenBack
    assert wrong == {}
