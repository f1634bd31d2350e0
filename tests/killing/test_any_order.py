"""Changes, answers, crashes and repetitions in any order: each change is charged once or never."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as NeverEnded
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as bounded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from guichet.billing.change_requests import ChangeRequest
from guichet.billing.changes import ChangeUnfinished
from guichet.billing.resuming import PATIENCE
from guichet.db import Database
from guichet.settings import Settings
from tests.killing.outcomes import EVENTS, Case
from tests.shops import Shop

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "20"))
_STEPS = 12
_STEP_SECONDS = 30.0
_Answer = TypeVar("_Answer")

events = st.sampled_from(sorted(EVENTS))


class Changes(RuleBasedStateMachine):
    """One customer's changes. What is awaited runs in the loop of the test."""

    loop: asyncio.AbstractEventLoop
    new_case: Callable[[], Case]

    @initialize()
    def arrive(self) -> None:
        self.case = self.new_case()
        self.requests: list[ChangeRequest] = []
        self.states: list[str] = []
        self.turned_back = False
        self._run(self.case.open())

    @rule(event=events)
    def confirm(self, event: str) -> None:
        if self._has_open():
            with pytest.raises(ChangeUnfinished):
                self._run(self.case.start())
            return
        request = self._run(self.case.start())
        self.requests.append(request)
        self._run(self.case.carry_out(request, self.case.troubled(event)))

    @precondition(lambda self: self.requests)
    @rule()
    def confirm_again(self) -> None:
        with pytest.raises(ChangeUnfinished):
            self._run(self.case.start(self.requests[-1].id))

    @precondition(lambda self: self.requests)
    @rule(event=events, late=st.booleans())
    def resume(self, event: str, late: bool) -> None:
        # What was turned back and is too old to be asked for again cannot be told any more.
        later = 2 * PATIENCE if late and not self.turned_back else timedelta(0)
        self._run(self.case.resume(self.case.troubled(event), later))

    @precondition(lambda self: self.requests)
    @rule(event=events)
    def resume_twice_at_once(self, event: str) -> None:
        async def both() -> None:
            await asyncio.gather(
                *(self.case.resume(self.case.troubled(it)) for it in (event, "answered"))
            )

        self._run(both())

    @precondition(lambda self: self.requests)
    @rule()
    def turn_back(self) -> None:
        self.turned_back = True
        self._run(self.case.turn_back())

    @invariant()
    def is_settled_for_good(self) -> None:
        before, self.states = self.states, self._states()
        for was, now in zip(before, self.states, strict=False):
            assert was == now or was in ("started", "unknown")
        done = self.states.count("done")
        open_ = sum(state in ("started", "unknown") for state in self.states)
        assert done <= self._run(self.case.charges()) <= done + open_

    def teardown(self) -> None:
        if not getattr(self, "requests", None):
            return
        self._run(self.case.resume(self.case.troubled("answered")))
        states = self._states()
        assert set(states) <= {"done", "refused"}
        assert self._run(self.case.charges()) == states.count("done")

    def _has_open(self) -> bool:
        return bool({"started", "unknown"} & set(self._states()))

    def _states(self) -> list[str]:
        return [self._run(self.case.state(request)) for request in self.requests]

    def _run(self, call: Coroutine[Any, Any, _Answer]) -> _Answer:
        running = asyncio.run_coroutine_threadsafe(call, self.loop)
        try:
            return running.result(_STEP_SECONDS)
        except NeverEnded:
            running.cancel()
            raise


async def test_whatever_the_order_each_change_is_charged_once_or_never(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    class OfThisShop(Changes):
        loop = asyncio.get_running_loop()

        @staticmethod
        def new_case() -> Case:
            return Case(settings, db, tenant, shop)

    bounds = bounded(
        max_examples=EXAMPLES,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, OfThisShop, settings=bounds)
