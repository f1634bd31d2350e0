"""What became of attempts, written on their rows."""

import msgspec
from prometheus_client import Counter

from guichet.audit import record
from guichet.billing.dunning.attempts.outcomes import Outcome
from guichet.billing.dunning.cases.cases import Attempt
from guichet.db import Unit

_attempts = Counter(
    "guichet_dunning_attempts_total",
    "Attempts at failed payments that ended, by who asked, outcome and class of decline.",
    ["initiator", "outcome", "decline"],
)


async def mark_unknown(unit: Unit, attempt: Attempt) -> None:
    """Say that nobody knows what became of a charge whose process has died."""
    await unit.execute(
        """
        update dunning_attempts
        set state = 'unknown'
        where tenant_id = $1
        and invoice_id = $2
        and number = $3
        and state = 'started'
        """,
        unit.tenant_id,
        attempt.invoice_id,
        attempt.number,
    )


async def finish(unit: Unit, attempt: Attempt, outcome: Outcome) -> bool:
    """Write an outcome down; answers False where somebody else has done so meanwhile.

    Where nobody knows it yet the attempt stays open, and so does a customer's that waits at their
    bank. A payment that was given up is written once more where its customer has come back to their
    bank's page later and paid.
    """
    is_final = _is_final(attempt, outcome)
    written = await _write(unit, attempt, outcome, is_final)
    if not written or not is_final:
        return written
    labels = (attempt.initiator, outcome.state, outcome.decline_class or "")
    unit.after_commit(lambda: _count(labels))
    await _record(unit, attempt, outcome)
    return True


def _is_final(attempt: Attempt, outcome: Outcome) -> bool:
    if outcome.state in ("started", "unknown"):
        return False
    is_at_bank = outcome.state == "needs_authentication" and outcome.decline_class is None
    return not (attempt.initiator == "customer" and is_at_bank)


async def _write(unit: Unit, attempt: Attempt, outcome: Outcome, is_final: bool) -> bool:
    written = await unit.fetchval(
        """
        update dunning_attempts
        set
          state = $4,
          decline_class = $5,
          decline_code = $6,
          advice_code = $7,
          network_decline_code = $8,
          network_advice_code = $9,
          charge_id = coalesce($10, charge_id),
          payment_intent_id = coalesce($11, payment_intent_id),
          request_id = coalesce($12, request_id),
          finished_at = case when $13::boolean then now() end
        where tenant_id = $1
        and invoice_id = $2
        and number = $3
        and (
          finished_at is null
          or (initiator = 'customer' and state = 'not_made' and $4 = 'succeeded')
        )
        returning true
        """,
        unit.tenant_id,
        attempt.invoice_id,
        attempt.number,
        outcome.state,
        outcome.decline_class,
        outcome.decline_code,
        outcome.advice_code,
        outcome.network_decline_code,
        outcome.network_advice_code,
        outcome.charge_id,
        outcome.payment_intent_id,
        outcome.request_id,
        is_final,
    )
    return bool(written)


async def _count(labels: tuple[str, str, str]) -> None:
    _attempts.labels(*labels).inc()


async def _record(unit: Unit, attempt: Attempt, outcome: Outcome) -> None:
    details: dict[str, object] = {
        "attempt": attempt.number,
        "method": attempt.payment_method_id,
        "charge": outcome.charge_id,
        "decline": outcome.decline_code,
        "class": outcome.decline_class,
        "reasons": [msgspec.to_builtins(reason) for reason in attempt.reasons],
    }
    actor_kind = "customer" if attempt.initiator == "customer" else "system"
    await record(
        unit,
        actor_kind,  # type: ignore[arg-type]
        "dunning" if actor_kind == "system" else "portal",
        f"payment_attempt.{outcome.state}",
        attempt.invoice_id,
        details,
        outcome.request_id,
    )
