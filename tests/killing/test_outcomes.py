"""Each state of a change request by each thing that can happen to it: none is unhandled.

And whatever happened, in any order: in the end each request is done and charged once, or refused
and not charged.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from guichet.billing.change_requests import ChangeRequest
from guichet.billing.changes import ChangeUnfinished
from guichet.billing.resuming import PATIENCE
from guichet.db import Database
from guichet.settings import Settings
from tests.killing.outcomes import EVENTS, Case, Troubled
from tests.shops import Shop

# A cell says the state that follows, and how often the customer is charged by then.
TABLE = """
                         |started   |abandoned |..., made |unknown   |..., made |done   |refused
answered                 |done 1    |done 1    |done 1    |done 1    |done 1    |done 1 |refused 0
card refused             |refused 0 |refused 0 |done 1    |refused 0 |done 1    |done 1 |refused 0
needs authentication     |refused 0 |refused 0 |done 1    |refused 0 |done 1    |done 1 |refused 0
invalid                  |refused 0 |refused 0 |done 1    |refused 0 |done 1    |done 1 |refused 0
conflict                 |unknown 0 |unknown 0 |done 1    |unknown 0 |done 1    |done 1 |refused 0
busy                     |refused 0 |started 0 |started 1 |unknown 0 |unknown 1 |done 1 |refused 0
not sent                 |refused 0 |started 0 |started 1 |unknown 0 |unknown 1 |done 1 |refused 0
unreachable after doing  |unknown 1 |done 1    |done 1    |done 1    |done 1    |done 1 |refused 0
unreachable before doing |unknown 0 |started 0 |started 1 |unknown 0 |unknown 1 |done 1 |refused 0
key rejected             |refused 0 |started 0 |started 1 |unknown 0 |unknown 1 |done 1 |refused 0
half made                |unknown 1 |unknown 1 |done 1    |unknown 1 |done 1    |done 1 |refused 0
killed                   |started 1 |started 1 |done 1    |unknown 1 |done 1    |done 1 |refused 0
too old                  |started 0 |refused 0 |done 1    |refused 0 |done 1    |done 1 |refused 0
repeated by the customer |started 0 |started 0 |started 1 |unknown 0 |unknown 1 |done 1 |refused 0
settled by somebody else |done 1    |done 1    |done 1    |done 1    |done 1    |done 1 |refused 0
"""


def _cells() -> list[tuple[str, str, str]]:
    """Event, state before, and what follows."""
    head, *rows = [[cell.strip() for cell in row.split("|")] for row in TABLE.splitlines()[1:]]
    states = [
        name.replace("...", head[place]) if "..." in name else name
        for place, name in enumerate(head[1:])
    ]
    return [
        (event, state, cell)
        for event, *cells in rows
        for state, cell in zip(states, cells, strict=True)
    ]


async def _brought_to(case: Case, state: str) -> ChangeRequest:
    """A request in that state."""
    request = await case.start()
    before = {
        "abandoned, made": "killed",
        "unknown": "unreachable before doing",
        "unknown, made": "unreachable after doing",
        "done": "answered",
        "refused": "card refused",
    }
    if state in before:
        await case.carry_out(request, case.troubled(before[state]))
    return request


async def _happens(case: Case, request: ChangeRequest, state: str, event: str) -> Troubled:
    """Have the event happen to the request; answers the provider that it met."""
    provider = case.troubled(event if event in EVENTS else "card refused")
    if event == "settled by somebody else":
        provider.meanwhile = lambda: case.make_elsewhere(request)
    if event == "repeated by the customer":
        with pytest.raises(ChangeUnfinished):
            await case.start(request.id)
    elif state == "started" and event == "too old":
        await case.resume(provider, 2 * PATIENCE, is_abandoned=False)
    elif state == "started":
        await case.carry_out(request, provider)
    elif state in ("done", "refused"):
        await case.resume(provider, 2 * PATIENCE)
        await case.settle_late(request, event)
    else:
        await case.resume(provider, 2 * PATIENCE if event == "too old" else timedelta(0))
    return provider


async def _cell(case: Case, state: str, event: str) -> str:
    await case.open()
    request = await _brought_to(case, state)
    provider = await _happens(case, request, state, event)
    follows = f"{await case.state(request)} {await case.charges()}"
    # What is made is found by looking, and what is settled is not looked at.
    if state.endswith(("made", "done", "refused")) and provider.asked:
        follows += ", asked again"
    await case.resume(case.troubled("answered"))
    end = f"{await case.state(request)} {await case.charges()}"
    return follows if end in ("done 1", "refused 0") else f"{follows}, in the end {end}"


@pytest.mark.slow
async def test_nothing_that_can_happen_to_a_change_is_unhandled(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    expected = {(event, state): cell for event, state, cell in _cells()}
    assert expected.keys() >= {(event, "started") for event in EVENTS}
    found = {
        (event, state): await _cell(Case(settings, db, tenant, shop), state, event)
        for event, state in expected
    }
    assert found == expected


@pytest.mark.slow
async def test_a_change_is_not_done_while_what_was_planned_before_stands(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    case = Case(settings, db, tenant, shop)
    await case.open()
    await case.plan_for_later()
    # The change is made, and the plan for later cannot be dropped.
    fault = {"mode": "error", "method": "POST", "path": "/v1/subscription_schedules", "count": 50}
    await shop.set(fail_next_requests=[fault])
    request = await case.start()
    await case.carry_out(request, case.troubled("answered"))
    for _ in range(2):
        assert await case.state(request) == "unknown"
        await case.resume(case.troubled("answered"))
    assert await case.has_plan_for_later()
    await shop.set(fail_next_requests=[])
    async with asyncio.timeout(30):
        while await case.state(request) != "done":
            await case.resume(case.troubled("answered"))
            await asyncio.sleep(0.2)
    assert not await case.has_plan_for_later()
    assert await case.charges() == 1
