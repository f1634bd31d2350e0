"""Changes that customers asked for, each made exactly once.

A request is written down before the provider is called, and its id is the provider's idempotency
key. Whoever finds it unfinished, after a crash or a lost answer, repeats the call with that key
and can change nothing twice.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog

from guichet.audit import record
from guichet.billing.changes import ChangeUnfinished
from guichet.billing.mirror import draw_copy_no, write_subscription
from guichet.db import Database, Unit
from guichet.errors import GuichetError
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    CardRefused,
    NeedsAuthentication,
    ProviderBusy,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.port import PaymentProvider, PlanChange

_log = structlog.get_logger()

Kind = Literal["change_plan", "cancel", "keep", "undo_change"]

#: Longer than any call to the provider may take, so a lease never ends under a living caller.
LEASE = timedelta(seconds=15)
#: A request that could not be made for so long is not made behind the customer's back any more:
#: it is only looked up. Far below the 24 hours for which Stripe remembers an idempotency key.
PATIENCE = timedelta(hours=1)
#: How many unfinished requests of a tenant one sweep takes; their leases add up to a minute.
BATCH = 4


class ChangeExpired(ProviderUnreachable):
    """The payment provider could not be reached for too long, so nothing was changed."""

    code = "change_expired"


#: What a refused request's `failure` stands for.
FAILURES: dict[str, type[GuichetError]] = {
    error.code: error
    for error in (
        CardRefused,
        NeedsAuthentication,
        ProviderRefused,
        ProviderBusy,
        ProviderKeyRejected,
        ProviderError,
        ChangeExpired,
    )
}


class ChangeRequest(msgspec.Struct, frozen=True):
    """One change that a customer confirmed, and what became of it."""

    id: UUID
    customer_id: str
    subscription_id: str
    kind: Kind
    #: What is asked of the provider; None where the kind says it all.
    plan: PlanChange | None
    state: Literal["started", "unknown", "done", "refused"]
    #: The error code of a refusal.
    failure: str | None
    started_at: datetime


def _from_row(row: asyncpg.Record) -> ChangeRequest:
    return ChangeRequest(
        id=row["id"],
        customer_id=row["customer_id"],
        subscription_id=row["subscription_id"],
        kind=row["kind"],
        plan=msgspec.json.decode(row["request"], type=PlanChange | None),
        state=row["state"],
        failure=row["failure"],
        started_at=row["started_at"],
    )


async def find_request(unit: Unit, customer_id: str, request_id: UUID) -> ChangeRequest | None:
    """The customer's request with this id, if it was ever started."""
    row = await unit.fetchrow(
        """
        select id, customer_id, subscription_id, kind, request::text, state, failure, started_at
        from change_requests
        where tenant_id = $1
        and id = $2
        and customer_id = $3
        """,
        unit.tenant_id,
        request_id,
        customer_id,
    )
    return _from_row(row) if row else None


async def start_request(
    unit: Unit,
    request_id: UUID,
    customer_id: str,
    subscription_id: str,
    kind: Kind,
    plan: PlanChange | None = None,
) -> ChangeRequest:
    """Write a request down, before anything is asked of the provider.

    Raises `ChangeUnfinished` while another one for the same subscription is under way, and when
    the same form was sent a moment ago.
    """
    try:
        row = await unit.fetchrow(
            """
            insert into change_requests (
              tenant_id, id, customer_id, subscription_id, kind, request, state, claimed_until
            )
            values ($1, $2, $3, $4, $5, $6::jsonb, 'started', now() + $7::interval)
            returning
              id, customer_id, subscription_id, kind, request::text, state, failure, started_at
            """,
            unit.tenant_id,
            request_id,
            customer_id,
            subscription_id,
            kind,
            msgspec.json.encode(plan).decode(),
            LEASE,
        )
    except asyncpg.UniqueViolationError as error:
        raise ChangeUnfinished from error
    assert row is not None
    return _from_row(row)


async def carry_out(
    db: Database, provider: PaymentProvider, tenant_id: UUID, request: ChangeRequest
) -> ChangeRequest:
    """Ask the provider and write down what became of it. Never raises a provider's refusal."""
    try:
        copy = await _ask(provider, request)
    except ProviderError as error:
        state = "refused" if error.outcome_known else "unknown"
        _log.warning("change not made", change=request.kind, code=error.code, reason=state)
        async with db.unit(tenant_id) as unit:
            return await _finish(unit, request, state, error.code)
    async with db.unit(tenant_id) as unit:
        await write_subscription(unit, copy, await draw_copy_no(unit))
        return await _finish(unit, request, "done", None)


async def _ask(provider: PaymentProvider, request: ChangeRequest) -> SubscriptionCopy:
    key = f"guichet-{request.id}"
    match request.kind:
        case "cancel":
            return await provider.cancel_at_period_end(request.subscription_id, key)
        case "keep":
            return await provider.keep(request.subscription_id, key)
        case "undo_change":
            return await provider.undo_scheduled_change(request.subscription_id, key)
        case "change_plan":
            assert request.plan is not None
            if request.plan.when == "now":
                return await provider.change_plan(request.plan, key)
            return await provider.schedule_change(request.plan, key)


async def _finish(
    unit: Unit, request: ChangeRequest, state: str, failure: str | None
) -> ChangeRequest:
    """Settle a request; one that somebody else settled meanwhile stays as it is."""
    row = await unit.fetchrow(
        """
        update change_requests
        set state = $3,
          failure = $4,
          finished_at = case when $3 = 'unknown' then null else now() end
        where tenant_id = $1
        and id = $2
        and state in ('started', 'unknown')
        returning
          id, customer_id, subscription_id, kind, request::text, state, failure, started_at
        """,
        unit.tenant_id,
        request.id,
        state,
        failure,
    )
    if row is None:
        return await find_request(unit, request.customer_id, request.id) or request
    if state != "unknown":
        details = {"request": str(request.id), "failure": failure, "plan": request.plan}
        await record(
            unit,
            "customer",
            request.customer_id,
            f"subscription.{request.kind}.{state}",
            request.subscription_id,
            msgspec.to_builtins(details),
        )
    return _from_row(row)


async def resume_unfinished(
    db: Database, provider: PaymentProvider, tenant_id: UUID, now: datetime
) -> int:
    """Settle what a dead process or a lost answer left open; answers how many were settled."""
    settled = 0
    for request in await _claim_unfinished(db, tenant_id):
        if now - request.started_at < PATIENCE:
            result = await carry_out(db, provider, tenant_id, request)
        else:
            result = await _look_up(db, provider, tenant_id, request)
        settled += result.state in ("done", "refused")
    return settled


async def _claim_unfinished(db: Database, tenant_id: UUID) -> list[ChangeRequest]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            update change_requests
            set claimed_until = now() + $2::interval,
              tries = tries + 1
            where tenant_id = $1
            and id in (
              select id
              from change_requests
              where tenant_id = $1
              and state in ('started', 'unknown')
              and claimed_until < now()
              order by started_at
              limit $3
              for update skip locked
            )
            returning
              id, customer_id, subscription_id, kind, request::text, state, failure, started_at
            """,
            tenant_id,
            LEASE * BATCH,
            BATCH,
        )
    return [_from_row(row) for row in rows]


async def _look_up(
    db: Database, provider: PaymentProvider, tenant_id: UUID, request: ChangeRequest
) -> ChangeRequest:
    """Find out whether an old request was made, without making it now."""
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
    try:
        copy = await provider.fetch_subscription(request.subscription_id)
    except ProviderError:
        return request
    async with db.unit(tenant_id) as unit:
        if copy is not None:
            await write_subscription(unit, copy, copy_no)
        is_made = copy is not None and _shows(copy, request)
        return await _finish(
            unit, request, "done" if is_made else "refused", None if is_made else ChangeExpired.code
        )


def _shows(copy: SubscriptionCopy, request: ChangeRequest) -> bool:
    """Whether a subscription is in the state that the request asked for."""
    match request.kind:
        case "cancel":
            return copy.cancel_at_period_end or copy.cancel_at is not None
        case "keep":
            return not copy.cancel_at_period_end and copy.cancel_at is None
        case "undo_change":
            return copy.pending is None
        case "change_plan":
            assert request.plan is not None
            wanted = (request.plan.price_id, request.plan.quantity)
            held = [(item.price_id, item.quantity or 1) for item in copy.items]
            if copy.pending is not None:
                held.append((copy.pending.price_id, copy.pending.quantity or 1))
            return wanted in held
