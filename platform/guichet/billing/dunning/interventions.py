"""What a member of the merchant's team asks for about a case: a try at once, or no more tries.

It is written on the case's row, and a worker does it: whoever asks charges nothing. Asked for
twice, by two people at once, or while a worker is at the case, it is done once.
"""

from collections.abc import Collection, Sequence

from guichet.billing.dunning.cases.cases import BUSY, CLOSED
from guichet.billing.dunning.cases.loading import Loaded, load_cases, lock_case, next_number
from guichet.billing.dunning.decisions.deciding import obstacles_to_try, try_at_once
from guichet.billing.dunning.decisions.facts import AskedFor, Reason
from guichet.billing.dunning.decisions.planning import Plan
from guichet.db import Unit
from guichet.errors import NotFound
from tenants.retries import RetryPolicy


async def followed_cases(
    unit: Unit, customer_id: str, invoice_ids: Collection[str]
) -> dict[str, Loaded]:
    """The customer's cases of these invoices, by invoice."""
    loaded = await load_cases(unit, invoice_ids)
    return {it.case.invoice_id: it for it in loaded if it.case.customer_id == customer_id}


async def find_case(
    unit: Unit, customer_id: str, invoice_id: str, *, is_locked: bool = False
) -> Loaded:
    """One of the customer's cases, locked until the unit ends if so wanted; raises `NotFound`."""
    if is_locked:
        await lock_case(unit, invoice_id)
    found = (await followed_cases(unit, customer_id, [invoice_id])).get(invoice_id)
    if found is None:
        raise NotFound
    return found


async def is_turned_away(unit: Unit) -> bool:
    """Whether the provider refuses the tenant's key, so that no worker takes anything up."""
    stopped = await unit.fetchval(
        """
        select true
        from provider_connections
        where tenant_id = $1
        and stopped
        """,
        unit.tenant_id,
    )
    return bool(stopped)


def why_no_retry(loaded: Loaded, policy: RetryPolicy, is_away: bool) -> Sequence[Reason]:
    """What keeps the team from having it tried now; nothing where they can."""
    case = loaded.case
    if case.state in CLOSED:
        return [Reason("case_closed")]
    if wish := loaded.facts.asked_for:
        return [Reason("retry_asked_for" if wish == "retry" else "stop_asked_for")]
    if case.is_ending:
        return [Reason("ending")]
    if case.state in BUSY:
        return [Reason("try_under_way" if case.state == "attempting" else "try_unknown")]
    return obstacles_to_try(loaded.facts, policy) or (
        [Reason("provider_stopped")] if is_away else []
    )


def why_no_stop(loaded: Loaded, policy: RetryPolicy) -> Sequence[Reason]:
    """What keeps the team from stopping the tries; nothing where they can, also during one."""
    if loaded.case.state in CLOSED:
        return [Reason("case_closed")]
    if loaded.facts.asked_for in ("stop", "end"):
        return [Reason("stop_asked_for")]
    if loaded.case.is_ending:
        return [Reason("ending")]
    if policy.collector == "provider":
        return [Reason("provider_collects")]
    return []


def charged_at_once(loaded: Loaded, policy: RetryPolicy) -> str | None:
    """The payment method that a try would be made with at this moment; None without any."""
    wanted = try_at_once(loaded.facts, policy)
    return wanted.method.id if isinstance(wanted, Plan) else None


async def ask_for(unit: Unit, loaded: Loaded, wish: AskedFor) -> None:
    """Write down what is wanted of a case that the unit has locked, and have a worker see to it.

    Of a charge that is under way the outcome comes first: whoever settles it finds what is wanted.
    Knock for `RUN_DUNNING` after the unit.
    """
    await unit.execute(
        """
        update dunning_cases
        set
          asked_for = $3,
          asked_at = now(),
          wake_at = case
            when state in ('attempting', 'unknown') then wake_at
            else '-infinity'
          end
        where tenant_id = $1
        and invoice_id = $2
        and wake_at is not null
        """,
        unit.tenant_id,
        loaded.case.invoice_id,
        wish,
    )


def next_try(loaded: Loaded) -> int:
    """The number of the next attempt: who asks for that one does not mean a later one."""
    return next_number(loaded.attempts)
