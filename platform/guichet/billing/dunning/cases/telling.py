"""What customers are told of their failed payments: one mail for each thing that happened."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from guichet.billing.dunning.cases.loading import Charge, Loaded
from guichet.billing.dunning.decisions.calendar import zones_of
from guichet.billing.dunning.decisions.facts import Decision, Try
from guichet.billing.dunning.decisions.reasons import customer_reason
from guichet.db import Unit
from guichet.messages.kinds import Kind
from guichet.messages.queueing import queue_message
from tenants.configuration import Published

#: What failed longer ago is no news: an import brings it.
NEWS = timedelta(days=3)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to be written, unless its key was queued before."""

    loaded: Loaded
    decision: Decision
    kind: Kind
    key: str
    failure: Try | None = None


async def tell(
    unit: Unit, decided: Sequence[tuple[Loaded, Decision]], published: Published
) -> None:
    """Queue what is to be told of cases as they were just decided. Comes last in its unit."""
    letters = [letter for each in decided if (letter := letter_of(*each))]
    if not letters:
        return
    known = await _known(unit, [letter.key for letter in letters])
    # Sorted, so that two units that tell the same customers wait for each other in one order.
    for letter in sorted(letters, key=lambda it: it.loaded.case.customer_id):
        if letter.key not in known:
            await _queue(unit, letter, published)


def letter_of(loaded: Loaded, decision: Decision) -> Letter | None:
    """What there is to tell of a case that is decided so; the same thing has the same key."""
    invoice_id = loaded.case.invoice_id
    if decision.step == "close":
        if decision.is_stopped:
            # For the customer nothing has changed: who stopped it also knows whom to talk to.
            return None
        kind: Kind | None = {
            "recovered": "recovered",
            "paid_elsewhere": "recovered",
            "given_up": "given_up",
        }.get(decision.outcome or "")  # type: ignore[assignment]
        return kind and Letter(
            loaded=loaded, decision=decision, kind=kind, key=f"{kind}:{invoice_id}"
        )
    return _letter_of_failure(loaded, decision)


def _letter_of_failure(loaded: Loaded, decision: Decision) -> Letter | None:
    """A failure is told once it is decided what follows from it; customers see their own."""
    if decision.step in ("attempt", "end") or _is_under_way(loaded):
        return None
    if loaded.facts.invoice_status == "paid":
        # What is left to be done about it is no failure.
        return None
    failures = [
        it for it in loaded.facts.tries if it.outcome == "declined" and it.initiator != "customer"
    ]
    failure = failures[-1] if failures else None
    if failure is None and loaded.facts.methods:
        # Its charge is about to be mirrored.
        return None
    failed_at = failure.at if failure else loaded.case.opened_at
    if failed_at < loaded.facts.now - NEWS:
        return None
    kind: Kind = "action_needed" if decision.asks_for == "authenticate" else "payment_failed"
    key = f"{kind}:{loaded.case.invoice_id}:{len(failures)}"
    return Letter(loaded=loaded, decision=decision, kind=kind, key=key, failure=failure)


def _is_under_way(loaded: Loaded) -> bool:
    return any(it.outcome in ("under_way", "unknown") for it in loaded.facts.tries)


async def _known(unit: Unit, keys: Sequence[str]) -> set[str]:
    rows = await unit.fetch(
        """
        select key
        from messages
        where tenant_id = $1
        and key = any($2::text[])
        """,
        unit.tenant_id,
        list(keys),
    )
    return {row["key"] for row in rows}


async def _queue(unit: Unit, letter: Letter, published: Published) -> None:
    facts = letter.loaded.facts
    configuration = published.configuration
    await queue_message(
        unit,
        letter.kind,
        letter.loaded.case.customer_id,
        letter.key,
        await _facts(unit, letter),
        facts.now,
        is_wanted=letter.kind not in configuration.mails.switched_off,
        zone=zones_of(facts.country or "", configuration.retries.time_zone)[0],
    )


async def _facts(unit: Unit, letter: Letter) -> dict[str, object]:
    """What the mail's template may name; what is not known is None."""
    case, decision = letter.loaded.case, letter.decision
    row = await unit.fetchrow(
        """
        select
          invoice.number,
          invoice.currency,
          invoice.status = 'open' and invoice.amount_remaining > 0 as can_be_paid,
          case when invoice.status = 'paid' then invoice.amount_paid
            else invoice.amount_remaining end as amount,
          (
            select product.name
            from invoice_lines as line
            join prices as price
              on price.tenant_id = $1
              and price.id = line.price_id
            join products as product
              on product.tenant_id = $1
              and product.id = price.product_id
            where line.tenant_id = $1
            and line.invoice_id = invoice.id
            order by line.proration, line.position
            limit 1
          ) as plan,
          method.brand,
          method.last4
        from invoices as invoice
        left join payment_methods as method
          on method.tenant_id = $1
          and method.id = $3
        where invoice.tenant_id = $1
        and invoice.id = $2
        """,
        unit.tenant_id,
        case.invoice_id,
        letter.failure.payment_method_id if letter.failure else None,
    )
    assert row is not None
    return {
        "invoice_id": case.invoice_id,
        "invoice_number": row["number"],
        "subscription_id": case.subscription_id,
        "amount": {"amount": row["amount"], "currency": row["currency"]},
        "plan": row["plan"],
        "reason": _reason(letter),
        "next_attempt_at": _iso(decision.at) if decision.step == "wait" else None,
        "last4": row["last4"],
        "brand": row["brand"],
        "asks_for": decision.asks_for,
        "ends_at": _iso(decision.access_changes_at),
        "can_be_paid": row["can_be_paid"],
        "subscription_ended": letter.loaded.facts.subscription_status == "canceled",
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _reason(letter: Letter) -> str | None:
    """Why the payment failed last, as a code that a customer may be told the meaning of."""
    told = letter.loaded.last_decline
    if letter.failure is None or told is None:
        return None
    failure_code = told.failure_code if isinstance(told, Charge) else None
    return customer_reason(told.decline_code, failure_code, letter.failure.decline)
