"""The first unit of a batch: cases claimed, decided, and what is about to be asked written down."""

from collections.abc import Sequence

import msgspec

from guichet.billing.dunning.attempts.attempting import Wanted, start_attempts
from guichet.billing.dunning.attempts.finishing import mark_unknown
from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.cases.claiming import LEASE, claim
from guichet.billing.dunning.cases.loading import Loaded, load_cases
from guichet.billing.dunning.cases.storing import Change, state_of, store
from guichet.billing.dunning.decisions.deciding import decide
from guichet.billing.dunning.decisions.facts import Decision
from guichet.billing.dunning.steps.stepping import Next, Step, next_step
from guichet.billing.mirror import draw_copy_no
from guichet.db import Unit
from tenants.configuration import Published


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider is to be asked for about one case, that is ours until the lease ends."""

    step: Step
    loaded: Loaded
    decision: Decision
    #: What is charged or looked for.
    attempt: Attempt | None = None
    copy_no: int


class Begun(msgspec.Struct, frozen=True):
    """How many cases were claimed, and what is to be asked of the provider about some of them."""

    claimed: int
    tasks: tuple[Task, ...]


async def begin(unit: Unit, published: Published) -> Begun:
    """Claim a batch and do all of it that the provider is not needed for."""
    claimed = await claim(unit, published.version)
    if not claimed:
        return Begun(0, ())
    policy = published.configuration.retries
    steps = [
        (loaded, next_step(loaded, decide(loaded.facts, policy), policy))
        for loaded in await load_cases(unit, claimed)
    ]
    started = await start_attempts(
        unit, [Wanted(loaded, step.decision) for loaded, step in steps if step.step == "charge"]
    )
    for loaded, step in steps:
        if step.step == "look" and (attempt := loaded.open_attempt("merchant")):
            await mark_unknown(unit, attempt)
    await store(
        unit, [_change(loaded, step, started, published) for loaded, step in steps], published
    )
    copy_no = await draw_copy_no(unit)
    return Begun(len(claimed), tuple(_tasks(steps, started, copy_no)))


def _change(
    loaded: Loaded, step: Next, started: dict[str, Attempt], published: Published
) -> Change:
    """What a case becomes before the provider is asked; under the lease, where it is."""
    change = Change(
        loaded=loaded,
        decision=step.decision,
        state=state_of(step.decision, published),
        looks=loaded.case.looks,
        taken=loaded.case.taken,
        paused_collection=loaded.case.paused_collection or step.step == "resume",
        not_after=step.not_after,
    )
    is_denied = step.step == "charge" and loaded.case.invoice_id not in started
    if step.step == "write" or is_denied:
        return change
    if step.step == "look":
        change = msgspec.structs.replace(change, state="unknown")
    elif step.step in ("charge", "end"):
        change = msgspec.structs.replace(change, state="attempting")
    elif step.step in ("take", "hand_back"):
        # Whatever becomes of this process, and of the policy: it is not known before it is settled.
        change = msgspec.structs.replace(change, taken=None)
    until = loaded.wall_now + LEASE
    return msgspec.structs.replace(change, not_before=until, not_after=until)


def _tasks(
    steps: Sequence[tuple[Loaded, Next]], started: dict[str, Attempt], copy_no: int
) -> Sequence[Task]:
    tasks = []
    for loaded, step in steps:
        attempt = None
        if step.step == "charge":
            attempt = started.get(loaded.case.invoice_id)
        elif step.step == "look":
            attempt = loaded.open_attempt("merchant")
        elif step.step == "look_for_customer":
            attempt = loaded.open_attempt("customer")
        if step.step == "write" or (step.step == "charge" and attempt is None):
            continue
        tasks.append(
            Task(
                step=step.step,
                loaded=loaded,
                decision=step.decision,
                attempt=attempt,
                copy_no=copy_no,
            )
        )
    return tasks
