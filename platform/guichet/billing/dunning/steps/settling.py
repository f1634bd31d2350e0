"""What the provider answered about a case, written down; then it is decided anew."""

from datetime import timedelta

import msgspec

from guichet.audit import record
from guichet.billing.dunning.attempts.finishing import finish
from guichet.billing.dunning.attempts.outcomes import Outcome
from guichet.billing.dunning.cases.cases import BUSY, CLOSED, Attempt
from guichet.billing.dunning.cases.loading import Loaded, load_cases, lock_case
from guichet.billing.dunning.cases.storing import Change, state_of, store, wait_after
from guichet.billing.dunning.decisions.deciding import decide
from guichet.billing.dunning.decisions.facts import Decision
from guichet.billing.dunning.steps.ending import Ended
from guichet.billing.dunning.steps.stepping import given_up, next_step
from guichet.billing.mirror import Reference, write_copies
from guichet.db import Unit
from guichet.payments.copies import Copy
from tenants.configuration import Published

_AT_THE_BANK = timedelta(hours=1)
#: What the provider was not there for is asked again so soon after it is back.
_AWAY = timedelta(hours=1)
NOTHING_DONE = Ended(copies=())


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider showed of its objects, under one number of copies."""

    copy_no: int
    copies: tuple[Copy, ...] = ()
    missing: tuple[Reference, ...] = ()


async def settle_attempt(
    unit: Unit, attempt: Attempt, outcome: Outcome, shown: Shown, published: Published
) -> None:
    """Write an outcome down, and what follows from it.

    Whoever comes second, after a lease that ran out, finds it written and changes nothing of it.
    """
    has_case = await lock_case(unit, attempt.invoice_id)
    await _write_shown(unit, shown)
    is_news = await finish(unit, attempt, outcome)
    if has_case:
        brought_nothing = outcome.state in ("unknown", "refused", "not_made")
        await _redecide(
            unit,
            attempt.invoice_id,
            published,
            is_awaited=is_news and attempt.initiator == "merchant",
            brought_nothing=brought_nothing,
        )


async def settle_taking(
    unit: Unit, invoice_id: str, taken: bool | None, shown: Shown, published: Published
) -> None:
    """Write down who collects an invoice now; None where that could not be changed."""
    if not await lock_case(unit, invoice_id):
        return
    await _write_shown(unit, shown)
    if taken is not None:
        action = "collection.taken_over" if taken else "collection.handed_back"
        await record(unit, "system", "dunning", action, invoice_id, {})
        await _write_taken(unit, invoice_id, taken)
    await _redecide(unit, invoice_id, published, brought_nothing=taken is None)


async def settle_end(
    unit: Unit,
    invoice_id: str,
    ending: Decision,
    shown: Shown,
    published: Published,
    ended: Ended = NOTHING_DONE,
) -> None:
    """Close a case as given up, unless its invoice was paid meanwhile.

    Of what the provider refused nobody asks again: the merchant finds it in the audit log.
    """
    if not await lock_case(unit, invoice_id):
        return
    await _write_shown(unit, shown)
    if ended.paused_collection:
        await _note_pause(unit, invoice_id)
    [loaded] = await load_cases(unit, [invoice_id])
    if not loaded.case.is_ending:
        return
    decision = decide(loaded.facts, published.configuration.retries)
    if decision.outcome not in ("recovered", "paid_elsewhere"):
        decision = given_up(ending)
        if ended.refusal is not None:
            await _record_refusal(unit, "dunning_end.refused", invoice_id, ended.refusal)
    await _store(unit, loaded, decision, published)


async def settle_resumption(
    unit: Unit,
    invoice_id: str,
    is_done: bool,
    shown: Shown,
    published: Published,
    refusal: str | None = None,
) -> None:
    """Close a case whose end is taken back, or have that be done again, each time later.

    What the provider refuses is not asked for again: the merchant finds it in the audit log.
    """
    if not await lock_case(unit, invoice_id):
        return
    await _write_shown(unit, shown)
    if is_done and await _forget_pause(unit, invoice_id):
        if refusal is None:
            await record(unit, "system", "dunning", "collection.resumed", invoice_id, {})
        else:
            await _record_refusal(unit, "collection.not_resumed", invoice_id, refusal)
    await _redecide(unit, invoice_id, published, brought_nothing=not is_done)


async def _record_refusal(unit: Unit, action: str, invoice_id: str, code: str) -> None:
    await record(unit, "provider", "stripe", action, invoice_id, {"code": code})


async def _note_pause(unit: Unit, invoice_id: str) -> None:
    """Whoever comes late, after somebody else has settled the end, notes nothing."""
    await unit.execute(
        """
        update dunning_cases
        set paused_collection = true
        where tenant_id = $1
        and invoice_id = $2
        and state = 'attempting'
        and decision ->> 'step' = 'end'
        """,
        unit.tenant_id,
        invoice_id,
    )


async def _forget_pause(unit: Unit, invoice_id: str) -> bool:
    """Answers False where somebody else has done so meanwhile."""
    noted = await unit.fetchval(
        """
        update dunning_cases
        set paused_collection = false
        where tenant_id = $1
        and invoice_id = $2
        and paused_collection
        returning true
        """,
        unit.tenant_id,
        invoice_id,
    )
    return bool(noted)


async def put_off_end(unit: Unit, invoice_id: str, looks: int) -> None:
    """Have an end that the provider did not carry out be done again, each time later."""
    await unit.execute(
        """
        update dunning_cases
        set
          looks = least($3, 1000),
          wake_at = now() + $4::interval
        where tenant_id = $1
        and invoice_id = $2
        and state = 'attempting'
        and decision ->> 'step' = 'end'
        """,
        unit.tenant_id,
        invoice_id,
        looks,
        min(wait_after(looks), _AWAY),
    )


async def _write_shown(unit: Unit, shown: Shown) -> None:
    if shown.copies or shown.missing:
        await write_copies(unit, shown.copies, shown.copy_no, shown.missing)


async def _write_taken(unit: Unit, invoice_id: str, taken: bool) -> None:
    """Where somebody else has settled it meanwhile, nobody knows who was the last to be heard."""
    await unit.execute(
        """
        update dunning_cases
        set taken = case when taken is null then $3::boolean end
        where tenant_id = $1
        and invoice_id = $2
        """,
        unit.tenant_id,
        invoice_id,
        taken,
    )


async def _redecide(
    unit: Unit,
    invoice_id: str,
    published: Published,
    *,
    is_awaited: bool = False,
    brought_nothing: bool = False,
) -> None:
    """Decide about a case that the unit has locked, and write that down.

    What is to be done at the provider is left to the next claim. After a step that brought nothing
    that waits, each time longer. A case that is closed stays so; one of which a charge or an end is
    under way is decided by whoever brings what is awaited.
    """
    [loaded] = await load_cases(unit, [invoice_id])
    if loaded.case.state in CLOSED or (loaded.case.state in BUSY and not is_awaited):
        return
    decision = decide(loaded.facts, published.configuration.retries)
    await _store(unit, loaded, decision, published, brought_nothing)


async def _store(
    unit: Unit,
    loaded: Loaded,
    decision: Decision,
    published: Published,
    brought_nothing: bool = False,
) -> None:
    step = next_step(loaded, decision, published.configuration.retries)
    looks = min(loaded.case.looks + 1, 1000) if brought_nothing else 0
    again_at = loaded.wall_now + min(wait_after(looks), _AWAY)
    change = Change(
        loaded=loaded,
        decision=step.decision,
        state=state_of(step.decision, published),
        looks=looks,
        taken=loaded.case.taken,
        paused_collection=loaded.case.paused_collection or step.step == "resume",
        not_before=again_at if brought_nothing else None,
        not_after=step.not_after,
    )
    if step.step in ("look", "look_for_customer"):
        at = loaded.wall_now + _wait_for_look(loaded, looks)
        change = msgspec.structs.replace(change, not_before=at, not_after=at)
    elif step.step != "write":
        change = msgspec.structs.replace(change, not_after=again_at)
    if step.step == "look":
        change = msgspec.structs.replace(change, state="unknown")
    await store(unit, [change], published)


def _wait_for_look(loaded: Loaded, looks: int) -> timedelta:
    """A charge that the bank is known to be at, as at a debit, is looked at each hour."""
    attempt = loaded.open_attempt("merchant")
    wait = wait_after(looks)
    return min(wait, _AT_THE_BANK) if attempt and attempt.charge_id else wait
