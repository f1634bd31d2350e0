"""What is asked of the provider about one case, and how its answer is settled."""

from uuid import UUID

import msgspec
import structlog

from guichet.billing.dunning.attempts.attempting import charge
from guichet.billing.dunning.attempts.confirming import look_for_payment
from guichet.billing.dunning.attempts.looking import look
from guichet.billing.dunning.attempts.outcomes import TURNED_AWAY, Outcome
from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.steps.beginning import Task
from guichet.billing.dunning.steps.ending import carry_out, take_back
from guichet.billing.dunning.steps.settling import (
    Shown,
    put_off_end,
    settle_attempt,
    settle_end,
    settle_resumption,
    settle_taking,
)
from guichet.billing.mirror import Reference
from guichet.db import Database
from guichet.payments.copies import Copy
from guichet.payments.errors import ProviderError, ProviderRefused
from guichet.payments.port import PaymentProvider
from tenants.configuration import Published

log = structlog.get_logger()


class Asker:
    """One tenant's access to its provider and to its rows, for the tasks of a batch."""

    def __init__(
        self, db: Database, tenant_id: UUID, provider: PaymentProvider, published: Published
    ) -> None:
        self._db = db
        self._tenant_id = tenant_id
        self._provider = provider
        self._published = published

    async def do(self, task: Task) -> bool:
        """Do what a task says, and settle it; answers whether the provider looked at it."""
        match task.step:
            case "charge" | "look" | "look_for_customer":
                return await self._attempt(task)
            case "take" | "hand_back":
                return await self._take(task)
            case "end":
                return await self._end(task)
            case "resume":
                return await self._resume(task)
            case "write":
                return True

    async def _attempt(self, task: Task) -> bool:
        assert task.attempt is not None
        attempt = task.attempt
        outcome = await self._outcome(task, attempt)
        shown = Shown(copy_no=task.copy_no, copies=outcome.copies)
        if outcome.state == "refused":
            shown = await self._refetched(task, shown)
        async with self._db.unit(self._tenant_id, plans_once=True) as unit:
            await settle_attempt(unit, attempt, outcome, shown, self._published)
        return not outcome.is_turned_away

    async def _outcome(self, task: Task, attempt: Attempt) -> Outcome:
        if task.step == "charge":
            return await charge(self._provider, attempt)
        others = frozenset(it.charge_id for it in task.loaded.attempts if it.charge_id)
        if task.step == "look_for_customer":
            return await look_for_payment(self._provider, attempt, others)
        age = task.loaded.wall_now - attempt.sent_at
        # What a killed process may not have sent is not sent any more once the team has stopped it.
        is_wanted = task.loaded.facts.asked_for not in ("stop", "end")
        others -= {attempt.charge_id}
        return await look(self._provider, attempt, others, age, is_wanted=is_wanted)

    async def _refetched(self, task: Task, shown: Shown) -> Shown:
        """What a refusal was about, as it is now, so that it is decided by what is true."""
        copies: list[Copy] = list(shown.copies)
        missing: list[Reference] = []
        method_id = task.attempt.payment_method_id if task.attempt else None
        try:
            invoice = await self._provider.fetch_invoice(task.loaded.case.invoice_id)
            copies += [invoice] if invoice else []
            if method_id is not None:
                method = await self._provider.fetch_payment_method(method_id)
                copies += [method] if method else []
                missing += [] if method else [Reference("payment_method", method_id)]
        except ProviderError as error:
            log.warning("refusal_not_looked_into", code=error.code)
        return Shown(copy_no=shown.copy_no, copies=tuple(copies), missing=tuple(missing))

    async def _take(self, task: Task) -> bool:
        """Switch the provider's own retries off, or on again."""
        case, takes = task.loaded.case, task.step == "take"
        taken: bool | None = takes
        shown, is_heard = Shown(copy_no=task.copy_no), True
        # Each time its own key: the answer of an earlier one would change nothing.
        verb = "take" if takes else "return"
        key = f"guichet-dunning:{case.invoice_id}:{verb}:{task.copy_no}"
        try:
            invoice = await self._provider.set_automatic_collection(case.invoice_id, not takes, key)
            shown = msgspec.structs.replace(shown, copies=(invoice,))
        except ProviderError as error:
            taken, is_heard = None, not isinstance(error, TURNED_AWAY)
            log.warning("collection_not_changed", invoice=case.invoice_id, code=error.code)
            if isinstance(error, ProviderRefused):
                shown = await self._refetched(task, shown)
        async with self._db.unit(self._tenant_id, plans_once=True) as unit:
            await settle_taking(unit, case.invoice_id, taken, shown, self._published)
        return is_heard

    async def _end(self, task: Task) -> bool:
        case = task.loaded.case
        try:
            ending = self._published.configuration.retries.end
            ended = await carry_out(self._provider, task.loaded, ending)
        except ProviderError as error:
            log.warning("end_not_carried_out", invoice=case.invoice_id, code=error.code)
            async with self._db.unit(self._tenant_id, plans_once=True) as unit:
                await put_off_end(unit, case.invoice_id, case.looks + 1)
            return not isinstance(error, TURNED_AWAY)
        shown = Shown(copy_no=task.copy_no, copies=ended.copies)
        if ended.refusal is not None:
            log.warning("end_refused", invoice=case.invoice_id, code=ended.refusal)
            shown = await self._refetched(task, shown)
        async with self._db.unit(self._tenant_id, plans_once=True) as unit:
            await settle_end(unit, case.invoice_id, task.decision, shown, self._published, ended)
        return True

    async def _resume(self, task: Task) -> bool:
        """Take the end of a case back that was paid after all, as far as that can be done."""
        case = task.loaded.case
        shown, is_done, is_heard = Shown(copy_no=task.copy_no), True, True
        refusal = None
        try:
            copies = await take_back(self._provider, task.loaded)
            shown = msgspec.structs.replace(shown, copies=copies)
        except ProviderRefused as error:
            refusal = error.provider_code or error.code
            log.warning("resumption_refused", invoice=case.invoice_id, code=refusal)
        except ProviderError as error:
            is_done, is_heard = False, not isinstance(error, TURNED_AWAY)
            log.warning("collection_not_resumed", invoice=case.invoice_id, code=error.code)
        async with self._db.unit(self._tenant_id, plans_once=True) as unit:
            await settle_resumption(unit, case.invoice_id, is_done, shown, self._published, refusal)
        return is_heard
