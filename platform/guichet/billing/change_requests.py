"""Changes that customers asked for, each made exactly once.

A request is written down before the provider is called, and its id is the provider's idempotency
key. Whoever finds it unfinished, after a crash or a lost answer, repeats the call with that key
and can change nothing twice (`guichet.billing.resuming`).
"""

import contextlib
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog

from guichet.audit import record
from guichet.billing.changes import ChangeUnfinished
from guichet.billing.mails import queue_mails
from guichet.billing.mirror import draw_copy_no, write_copy
from guichet.billing.subscription_mails import mails_of_change
from guichet.billing.subscriptions import hold_still
from guichet.db import Database, Unit
from guichet.errors import Conflict
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import ProviderError
from guichet.payments.orders import Cancellation, SubscriptionChange
from guichet.payments.port import PaymentProvider

_log = structlog.get_logger()

Kind = Literal["change_plan", "cancel", "keep", "undo_change"]

#: Longer than a customer's change may take, so a lease never ends under a living caller.
LEASE = timedelta(seconds=15)


class ChangeRequest(msgspec.Struct, frozen=True):
    """One change that a customer confirmed, and what became of it."""

    id: UUID
    customer_id: str
    subscription_id: str
    kind: Kind
    #: What is asked of the provider of a change of plan; None of any other.
    plan: SubscriptionChange | None
    state: Literal["started", "unknown", "done", "refused"]
    #: The error code of a refusal.
    failure: str | None
    started_at: datetime
    #: When a cancellation takes effect, and why; None of any other.
    cancellation: Cancellation | None = None

    @property
    def key(self) -> str:
        """The provider's idempotency key."""
        return f"guichet-{self.id}"


def from_row(row: asyncpg.Record) -> ChangeRequest:
    is_cancellation = row["kind"] == "cancel"
    return ChangeRequest(
        id=row["id"],
        customer_id=row["customer_id"],
        subscription_id=row["subscription_id"],
        kind=row["kind"],
        plan=None if is_cancellation else _read_plan(row["request"]),
        state=row["state"],
        failure=row["failure"],
        started_at=row["started_at"],
        cancellation=_read_cancellation(row) if is_cancellation else None,
    )


def _read_cancellation(row: asyncpg.Record) -> Cancellation:
    """What was asked for; earlier code knew the end of the period only, and wrote nothing down."""
    asked = msgspec.json.decode(row["request"], type=Cancellation | None)
    return asked or Cancellation(subscription_id=row["subscription_id"], when="period_end")


def _read_plan(text: str) -> SubscriptionChange | None:
    """What was asked for; requests of earlier code name one item beside the rest."""
    request = msgspec.json.decode(text)
    if request is not None and "items" not in request:
        names = ("item_id", "price_id", "quantity")
        request["items"] = [{name: request.pop(name) for name in names}]
    return msgspec.convert(request, SubscriptionChange | None)


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
    return from_row(row) if row else None


async def latest_request(
    unit: Unit, customer_id: str, subscription_id: str
) -> ChangeRequest | None:
    """The request that the customer made last for a subscription."""
    row = await unit.fetchrow(
        """
        select id, customer_id, subscription_id, kind, request::text, state, failure, started_at
        from change_requests
        where tenant_id = $1
        and subscription_id = $2
        and customer_id = $3
        order by started_at desc
        limit 1
        """,
        unit.tenant_id,
        subscription_id,
        customer_id,
    )
    return from_row(row) if row else None


async def start_request(
    unit: Unit,
    request_id: UUID,
    customer_id: str,
    subscription_id: str,
    kind: Kind,
    order: SubscriptionChange | Cancellation | None = None,
    read_at: datetime | None = None,
) -> ChangeRequest:
    """Write a request down, before anything is asked of the provider.

    Raises `ChangeUnfinished` while another one for the same subscription is under way, and when
    the same form was sent a moment ago; `Conflict` when another one was made since `read_at`, the
    time that `hold_still` gave when the subscription was read.
    """
    await hold_still(unit, subscription_id)
    try:
        row = await unit.fetchrow(
            """
            insert into change_requests (
              tenant_id, id, customer_id, subscription_id, kind, request, previous_plan, state,
              claimed_until
            )
            select
              $1, $2, $3, $4, $5, $6::jsonb, replaced_plan($1, $4, $6::jsonb), 'started',
              now() + $7::interval
            where not exists (
              select
              from change_requests as other
              where other.tenant_id = $1
              and other.subscription_id = $4
              and other.state = 'done'
              and other.finished_at > $8
            )
            returning
              id, customer_id, subscription_id, kind, request::text, state, failure, started_at
            """,
            unit.tenant_id,
            request_id,
            customer_id,
            subscription_id,
            kind,
            msgspec.json.encode(order).decode(),
            LEASE,
            read_at,
        )
    except asyncpg.UniqueViolationError as error:
        raise ChangeUnfinished from error
    if row is None:
        raise Conflict
    return from_row(row)


async def carry_out(
    db: Database, provider: PaymentProvider, tenant_id: UUID, request: ChangeRequest
) -> ChangeRequest:
    """Ask the provider and write down what became of it. Never raises a provider's refusal.

    For a request that nobody has carried out before: `guichet.billing.resuming` repeats one.
    """
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
    try:
        copy = await ask(provider, request)
    except ProviderError as error:
        state = "refused" if error.outcome_known else "unknown"
        _log.warning("change not made", change=request.kind, code=error.code, reason=state)
        async with db.unit(tenant_id) as unit:
            return await finish(unit, request, state, error.code)
    async with db.unit(tenant_id) as unit:
        if await write_copy(unit, copy, copy_no):
            return await finish(unit, request, "done", None)
        copy_no = await draw_copy_no(unit)
    # Somebody has looked since the call began, be it before the change or after a later one.
    present = None
    with contextlib.suppress(ProviderError):
        present = await provider.fetch_subscription(request.subscription_id)
    async with db.unit(tenant_id) as unit:
        if present is not None:
            await write_copy(unit, present, copy_no)
        return await finish(unit, request, "done", None)


async def ask(provider: PaymentProvider, request: ChangeRequest) -> SubscriptionCopy:
    """Make the change under the request's own key; raises a `ProviderError`.

    A key that was used before is answered as it was then, with the subscription of that time.
    """
    key = request.key
    match request.kind:
        case "cancel":
            assert request.cancellation is not None
            return await provider.cancel(request.cancellation, key)
        case "keep":
            return await provider.keep(request.subscription_id, key)
        case "undo_change":
            return await provider.undo_scheduled_change(request.subscription_id, key)
        case "change_plan":
            assert request.plan is not None
            if request.plan.when == "now":
                return await provider.change_subscription(request.plan, key)
            return await provider.schedule_change(request.plan, key)


async def finish(
    unit: Unit, request: ChangeRequest, state: str, failure: str | None
) -> ChangeRequest:
    """Settle a request; one that somebody else settled meanwhile stays as it is.

    Comes after the subscription's new copy in its unit: whoever reads the subscription before
    that copy, with `hold_still`, has an earlier time than `finished_at`.
    """
    row = await unit.fetchrow(
        """
        update change_requests
        set state = $3,
          failure = $4,
          finished_at = case when $3 = 'unknown' then null else clock_timestamp() end
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
        details = {
            "request": str(request.id),
            "failure": failure,
            "plan": request.plan,
            "cancellation": request.cancellation,
        }
        await record(
            unit,
            "customer",
            request.customer_id,
            f"subscription.{request.kind}.{state}",
            request.subscription_id,
            msgspec.to_builtins(details),
        )
    if state == "done":
        await queue_mails(unit, await mails_of_change(unit, request))
    return from_row(row)
