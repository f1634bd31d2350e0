"""What was decided about cases, written down with all that follows from it in the same unit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from guichet.audit import record
from guichet.billing.dunning.cases.cases import Case, State
from guichet.billing.dunning.cases.granting import write_access
from guichet.billing.dunning.cases.loading import Loaded
from guichet.billing.dunning.cases.telling import tell
from guichet.billing.dunning.cases.waking import wake_at_for
from guichet.billing.dunning.decisions.facts import Access, AskedFor, Decision
from guichet.db import Unit
from tenants.configuration import Published

#: Waits for the next step after one that brought nothing, and what was unknown is looked at.
WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a case becomes."""

    loaded: Loaded
    decision: Decision
    state: State
    #: Steps in a row that brought nothing, this one among them.
    looks: int = 0
    taken: bool | None
    #: Whether the subscription's collection was stopped by the end, and has to go on.
    paused_collection: bool
    #: Nobody looks before, or later than, these times of the wall's.
    not_before: datetime | None = None
    not_after: datetime | None = None

    @property
    def is_closed(self) -> bool:
        return self.decision.step == "close"

    @property
    def is_still_asked(self) -> bool:
        """Whether what somebody asked for is kept: a try is until it is begun, or turns out to be
        impossible; that nothing more be tried counts for good.
        """
        if self.loaded.case.asked_for != "retry":
            return True
        return self.decision.step == "attempt" and self.state != "attempting"

    @property
    def due_at(self) -> datetime | None:
        """When something is due by the customer's time; where retries are paused, since when."""
        if not self.decision.is_paused:
            return self.wakes_at
        before, now = self.loaded.case, self.loaded.facts.now
        was_paused = before.decision is not None and before.decision.is_paused
        # What `held_up` has in it already does not count a second time.
        return before.due_at if was_paused and not before.lateness(now) else now

    @property
    def wakes_at(self) -> datetime | None:
        """When somebody has to look at it by the customer's time."""
        if self.is_closed:
            return None
        if self.decision.step in ("attempt", "end"):
            return self.loaded.facts.now
        times = (self.decision.at, self.decision.access_changes_at)
        return min((at for at in times if at is not None), default=None)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    invoice_id: str
    state: State
    closed_at: datetime | None
    next_attempt_at: datetime | None
    due_at: datetime | None
    held_up: timedelta
    wake_at: str | None
    looks: int
    decision: Decision
    policy_version: int
    taken: bool | None
    paused_collection: bool
    access: Access
    asked_for: AskedFor | None
    asked_at: datetime | None


def wait_after(looks: int) -> timedelta:
    """How long nothing is done after so many steps that brought nothing."""
    return WAITS[min(looks, len(WAITS)) - 1] if looks else timedelta()


def state_of(decision: Decision, published: Published) -> State:
    """The state of a case of which nothing is under way."""
    match decision.step:
        case "close":
            assert decision.outcome is not None
            return decision.outcome
        case "ask":
            return "asking"
        case "rest":
            collector = published.configuration.retries.collector
            return "provider" if collector == "provider" else "waiting"
        case "attempt" | "wait" | "end":
            return "waiting"


async def store(unit: Unit, changes: Sequence[Change], published: Published) -> None:
    """Write what cases that the unit has locked become; then access, audit, mails and waking.

    In the order of locks: cases, subscriptions, clocks, mails.
    """
    if not changes:
        return
    await _write(unit, changes, published)
    await write_access(unit, _touched(changes))
    for change in changes:
        if change.is_closed:
            await _record_end(unit, change)
    await _wake_by_clocks(unit, [it for it in changes if it.loaded.case.test_clock_id])
    await tell(unit, [(it.loaded, it.decision) for it in changes], published)


def _touched(changes: Sequence[Change]) -> set[str]:
    """Subscriptions whose access may be another one now."""
    return {
        it.loaded.case.subscription_id
        for it in changes
        if it.loaded.case.subscription_id
        and (
            it.is_closed
            or it.loaded.case.policy_version is None
            or it.decision.access != it.loaded.case.access
        )
    }


async def _write(unit: Unit, changes: Sequence[Change], published: Published) -> None:
    await unit.execute(
        """
        update dunning_cases as held
        set
          state = given.state,
          closed_at = given.closed_at,
          next_attempt_at = given.next_attempt_at,
          due_at = given.due_at,
          held_up = given.held_up,
          wake_at = given.wake_at,
          looks = given.looks,
          decision = given.decision,
          policy_version = given.policy_version,
          taken = given.taken,
          paused_collection = given.paused_collection,
          access = given.access,
          asked_for = given.asked_for,
          asked_at = given.asked_at
        from jsonb_populate_recordset(null::dunning_cases, $2::jsonb) as given
        where held.tenant_id = $1
        and held.invoice_id = given.invoice_id
        """,
        unit.tenant_id,
        msgspec.json.encode([_row(change, published) for change in changes]).decode(),
    )


def _row(change: Change, published: Published) -> _Row:
    decision, before = change.decision, change.loaded.case
    is_asked = change.is_still_asked
    return _Row(
        invoice_id=before.invoice_id,
        state=change.state,
        closed_at=change.loaded.facts.now if change.is_closed else None,
        next_attempt_at=decision.at if decision.step == "wait" else None,
        due_at=change.due_at,
        held_up=change.loaded.facts.held_up,
        wake_at=_wake_at(change),
        looks=change.looks,
        decision=decision,
        policy_version=published.version,
        taken=change.taken,
        paused_collection=change.paused_collection,
        access=decision.access,
        asked_for=before.asked_for if is_asked else None,
        asked_at=before.asked_at if is_asked else None,
    )


def _wake_at(change: Change) -> str | None:
    """By the wall's time; of a customer who lives by a clock it is corrected in the end."""
    if change.is_closed:
        return None
    return _bounded(change, change.wakes_at.isoformat() if change.wakes_at else "infinity")


def _bounded(change: Change, wake_at: str) -> str:
    if change.not_before is not None and _is_earlier(wake_at, change.not_before):
        return change.not_before.isoformat()
    if change.not_after is not None and not _is_earlier(wake_at, change.not_after):
        return change.not_after.isoformat()
    return wake_at


def _is_earlier(wake_at: str, than: datetime) -> bool:
    if wake_at in ("infinity", "-infinity"):
        return wake_at == "-infinity"
    return datetime.fromisoformat(wake_at) < than


async def _wake_by_clocks(unit: Unit, changes: Sequence[Change]) -> None:
    """Have what is due by a clock's time be looked at when the clock says so."""
    by_clock = sorted(changes, key=lambda it: it.loaded.case.test_clock_id or "")
    for change in by_clock:
        if change.is_closed:
            continue
        case = change.loaded.case
        wake_at = await wake_at_for(unit, case.test_clock_id, change.wakes_at)
        await unit.execute(
            """
            update dunning_cases
            set wake_at = $3::text::timestamptz
            where tenant_id = $1
            and invoice_id = $2
            """,
            unit.tenant_id,
            case.invoice_id,
            _bounded(change, wake_at),
        )


async def _record_end(unit: Unit, change: Change) -> None:
    case: Case = change.loaded.case
    details: dict[str, object] = {
        "customer": case.customer_id,
        "reasons": [reason.code for reason in change.decision.reasons],
        "attempts": len(change.loaded.attempts),
    }
    await record(
        unit, "system", "dunning", f"dunning_case.{change.state}", case.invoice_id, details
    )
