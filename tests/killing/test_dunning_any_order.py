"""Charges, crashes, repetitions, late answers and customers in any order: each is charged once.

Nothing else is tried while nobody knows what became of a charge, and that is found out by looking.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import TimeoutError as NeverEnded
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
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

from guichet.db import Database
from guichet.deployment import Deployment, open_deployment
from guichet.settings import Settings
from tenants.configuration import Configuration, publish
from tests.killing.debts import POLICY, Debt, NewDebt
from tests.killing.watched import EVENTS
from tests.shops import Shop
from tests.years import checks
from tests.years.held import Held, held
from tests.years.provider import Provided, provided

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "20"))
_STEPS = 14
_STEP_SECONDS = 40.0
#: So many looks bring everything to rest, when nothing goes wrong any more.
_LOOKS = 6
_Answer = TypeVar("_Answer")

events = st.sampled_from(sorted(EVENTS))


class Payments(RuleBasedStateMachine):
    """One failed payment. What is awaited runs in the loop of the test."""

    loop: asyncio.AbstractEventLoop
    new_debt: NewDebt
    #: The keys of all charges that were asked for.
    asked: ClassVar[set[str]]

    @initialize()
    def fail(self) -> None:
        self.states: dict[int, str] = {}
        self.debt = self.new_debt()
        self._run(self.debt.open())

    @rule(event=events, hides=st.booleans())
    def work(self, event: str, hides: bool) -> None:
        self._run(self.debt.run(event, hides=hides))

    @rule(event=events)
    def work_twice_at_once(self, event: str) -> None:
        self._run(self.debt.run(event, times=2))

    @rule(event=events, transactions=st.integers(1, 4), commits=st.booleans())
    def work_and_die(self, event: str, transactions: int, commits: bool) -> None:
        self._run(self.debt.run_until_death(event, transactions, commits=commits))

    @rule()
    def end_leases(self) -> None:
        self._run(self.debt.end_leases())

    @rule(hours=st.sampled_from([1, 26, 26, 26, 80]))
    def pass_time(self, hours: int) -> None:
        self._run(self.debt.pass_time(timedelta(hours=hours)))

    @rule()
    def follow(self) -> None:
        self._run(self.debt.follow())

    @rule(event=events)
    def follow_and_work(self, event: str) -> None:
        """A day passes, as it does."""
        self._run(self.debt.pass_time(timedelta(hours=25)))
        self._run(self.debt.follow())
        self._run(self.debt.run(event))

    @precondition(lambda self: self.debt.charges.later)
    @rule()
    def charge_late(self) -> None:
        self._run(self.debt.make_late_charges())

    @rule()
    def forget_keys(self) -> None:
        self._run(self.debt.forget_keys())

    @rule()
    def get_well(self) -> None:
        self._run(self.debt.get_well())

    @rule()
    def fall_ill(self) -> None:
        self._run(self.debt.fall_ill())

    @rule()
    def add_card(self) -> None:
        self._run(self.debt.add_card())

    @rule()
    def pay(self) -> None:
        self._run(self.debt.pay())

    @rule()
    def void(self) -> None:
        self._run(self.debt.void())

    @invariant()
    def is_paid_once_at_most(self) -> None:
        if not hasattr(self, "debt"):
            return
        assert self._run(self.debt.payments()) <= 1
        assert not self.debt.charges.wrong

    def teardown(self) -> None:
        if not getattr(self, "debt", None) or not self.debt.invoice_id:
            return
        self._run(self._come_to_rest())
        assert not self.debt.charges.wrong
        self.asked.update(self.debt.charges.asked)
        theirs, ours = self._run(self._ends())
        wrong = [
            *checks.paid_twice(theirs),
            *checks.charged_twice(theirs),
            *checks.forgotten(ours),
            *checks.misjudged(theirs, ours),
            *checks.untrue_stories(theirs, ours),
        ]
        assert not wrong, wrong

    async def _come_to_rest(self) -> None:
        debt = self.debt
        await debt.make_late_charges()
        for _ in range(_LOOKS):
            await debt.end_leases()
            await debt.follow()
            await debt.run("answered")
        await debt.follow()

    async def _ends(self) -> tuple[Provided, Held]:
        """The invoice as the provider and we tell it; a forgotten key is the same one as before."""
        debt = self.debt
        theirs = await provided(debt.shop)
        ours = await held(debt.deployment.db, debt.tenant_id)
        charges = [
            charge._replace(key=charge.key and charge.key.partition("#")[0])
            for charge in theirs.charges
            if charge.invoice_id == debt.invoice_id
        ]
        return (
            Provided(charges, {debt.invoice_id: theirs.invoices[debt.invoice_id]}),
            Held(
                {debt.invoice_id: ours.cases[debt.invoice_id]},
                [it for it in ours.attempts if it.invoice_id == debt.invoice_id],
                ours.told,
                [],
            ),
        )

    def _run(self, call: Coroutine[Any, Any, _Answer]) -> _Answer:
        running = asyncio.run_coroutine_threadsafe(call, self.loop)
        try:
            return running.result(_STEP_SECONDS)
        except NeverEnded:
            running.cancel()
            raise


@pytest.fixture
async def deployment(settings: Settings, db: Database, tenant: UUID) -> AsyncIterator[Deployment]:
    """A process whose one tenant retries every day."""
    async with db.unit(tenant) as unit:
        await publish(unit.connection, tenant, Configuration(retries=POLICY), "test")
    async with open_deployment(settings) as deployment:
        yield deployment


async def test_whatever_the_order_each_failed_payment_is_paid_once_or_never(
    deployment: Deployment, tenant: UUID, shop: Shop
) -> None:
    class OfThisShop(Payments):
        loop = asyncio.get_running_loop()
        asked: ClassVar[set[str]] = set()

        @staticmethod
        def new_debt() -> Debt:
            return Debt(deployment, tenant, shop)

    bounds = bounded(
        max_examples=EXAMPLES,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, OfThisShop, settings=bounds)
    assert len(OfThisShop.asked) > EXAMPLES / 2, "hardly anything was charged"
