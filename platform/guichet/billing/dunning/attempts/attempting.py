"""One charge: written down before it is asked for, and asked for under a key of its own."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from guichet.billing.dunning.attempts.outcomes import Outcome, outcome_of_error
from guichet.billing.dunning.cases.cards import card_charges, lock_cards
from guichet.billing.dunning.cases.cases import Attempt, AttemptState
from guichet.billing.dunning.cases.loading import Loaded, next_number
from guichet.billing.dunning.decisions.caps import room
from guichet.billing.dunning.decisions.facts import Decision, Method
from guichet.db import Unit
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider


class Wanted(msgspec.Struct, frozen=True):
    """A case whose decision is to charge now."""

    loaded: Loaded
    decision: Decision

    @property
    def method(self) -> Method:
        chosen = self.decision.payment_method_id
        return next(it for it in self.loaded.facts.methods if it.id == chosen)


async def start_attempts(unit: Unit, wanted: Sequence[Wanted]) -> dict[str, Attempt]:
    """Write down attempts of cases that the unit has locked; answers those by their invoices.

    The networks' caps are counted once more, now that nobody else can charge the same cards: what
    they leave no room for is not written down.
    """
    allowed = await _within_caps(unit, wanted)
    attempts = [_attempt(each) for each in allowed]
    if attempts:
        await write_attempts(unit, attempts, [_planned_at(each.loaded) for each in allowed])
    return {attempt.invoice_id: attempt for attempt in attempts}


async def _within_caps(unit: Unit, wanted: Sequence[Wanted]) -> list[Wanted]:
    """At most one charge of each card: the second one would not see the first."""
    fingerprints = sorted({it.method.fingerprint for it in wanted if it.method.fingerprint})
    charges = {}
    if fingerprints:
        await lock_cards(unit, fingerprints)
        charges = await card_charges(unit, fingerprints)
    allowed: list[Wanted] = []
    taken: set[str] = set()
    for each in wanted:
        fingerprint = each.method.fingerprint
        if fingerprint:
            left = room(each.method.network, charges[fingerprint], each.loaded.facts.now)
            if left.is_banned or left.allowed_at or fingerprint in taken:
                continue
            taken.add(fingerprint)
        allowed.append(each)
    return allowed


def _attempt(wanted: Wanted) -> Attempt:
    invoice_id = wanted.loaded.case.invoice_id
    number = next_number(wanted.loaded.attempts)
    return Attempt(
        invoice_id=invoice_id,
        number=number,
        initiator="merchant",
        idempotency_key=f"guichet-dunning:{invoice_id}:{number}",
        payment_method_id=wanted.method.id,
        network=wanted.method.network,
        fingerprint=wanted.method.fingerprint,
        reasons=wanted.decision.reasons,
        started_at=wanted.loaded.facts.now,
        sent_at=wanted.loaded.wall_now,
    )


def _planned_at(loaded: Loaded) -> datetime:
    """The time that the case was waiting for; what is charged at once was planned for now."""
    waited = loaded.case.decision
    if waited is None or waited.step != "wait" or waited.at is None:
        return loaded.facts.now
    return min(waited.at, loaded.facts.now)


async def write_attempts(
    unit: Unit, attempts: Sequence[Attempt], planned_at: Sequence[datetime | None]
) -> None:
    """Add rows; raises asyncpg's `UniqueViolationError` where one is there already."""
    await unit.execute(
        """
        insert into dunning_attempts (
          tenant_id,
          invoice_id,
          number,
          initiator,
          idempotency_key,
          payment_method_id,
          network,
          fingerprint,
          reasons,
          planned_at,
          started_at,
          sent_at,
          state
        )
        select
          $1,
          given.invoice_id,
          given.number,
          given.initiator,
          given.idempotency_key,
          given.payment_method_id,
          given.network,
          given.fingerprint,
          given.reasons,
          planned.at,
          given.started_at,
          given.sent_at,
          given.state
        from jsonb_populate_recordset(null::dunning_attempts, $2::jsonb)
          with ordinality as given
        join unnest($3::timestamptz[]) with ordinality as planned (at, place)
          on planned.place = given.ordinality
        """,
        unit.tenant_id,
        msgspec.json.encode(attempts).decode(),
        list(planned_at),
    )


async def charge(provider: PaymentProvider, attempt: Attempt) -> Outcome:
    """Ask for the charge; asked for again with the attempt's key it is the same one."""
    try:
        payment = await provider.charge_invoice(
            attempt.invoice_id, attempt.idempotency_key, attempt.payment_method_id
        )
    except ProviderError as error:
        return outcome_of_error(error, attempt)
    state: AttemptState = "succeeded" if payment.invoice.status == "paid" else "unknown"
    return Outcome(
        # Somebody else has paid it, or is about to.
        state=state if payment.attempt_id else "not_made",
        charge_id=payment.attempt_id,
        payment_intent_id=payment.payment_intent_id,
        request_id=payment.request_id,
        copies=(payment.invoice,),
    )
