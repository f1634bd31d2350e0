"""Changes that were left unfinished by a dead process or a lost answer: looked up, and repeated."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from guichet.billing.change_refusals import ChangeExpired, ChangeUnseen
from guichet.billing.change_requests import ChangeRequest, ask, finish, from_row
from guichet.billing.mirror import draw_copy_no, write_copy
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    ChangeHalfMade,
    ProviderAway,
    ProviderBusy,
    ProviderError,
    ProviderKeyRejected,
)
from guichet.payments.orders import SubscriptionChange
from guichet.payments.port import PaymentProvider

_log = structlog.get_logger()

#: A request that could not be made for so long is not made behind the customer's back any more:
#: it is only looked up. Far below the 24 hours for which Stripe remembers an idempotency key.
PATIENCE = timedelta(hours=1)
#: How many unfinished requests of a tenant one sweep takes, at the same time.
_BATCH = 8
#: Longer than looking, repeating a change and looking again may take. Each try waits longer for
#: the next one, up to ten times this.
_LEASE = timedelta(seconds=35)
#: The provider has not looked at the change, so they say nothing of what an earlier call did.
_TURNED_AWAY = (ProviderAway, ProviderBusy, ProviderKeyRejected)


async def resume_unfinished(
    db: Database, providers: Providers, tenant_id: UUID, now: datetime
) -> int:
    """Settle what is open and nobody is at work on; answers how many requests were settled.

    They wait while the tenant's provider turns us away. Raises `ProviderKeyRejected` when the
    tenant has no key.
    """
    requests = await _claim_unfinished(db, tenant_id)
    if not requests:
        return 0
    provider = await providers.client(tenant_id)
    results = await asyncio.gather(
        *(_settle(db, provider, tenant_id, request, now) for request in requests),
        return_exceptions=True,
    )
    # One request that cannot be settled must not hold up the others.
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, BaseException) and not isinstance(result, ProviderError):
            _log.error("change not settled", request=str(request.id), exc_info=result)
    return sum(result is True for result in results)


async def _claim_unfinished(db: Database, tenant_id: UUID) -> list[ChangeRequest]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            with abandoned as (
              select id
              from change_requests
              where tenant_id = $1
              and state in ('started', 'unknown')
              and claimed_until < now()
              and not exists (
                select
                from provider_connections as connection
                where connection.tenant_id = $1
                and connection.stopped
              )
              order by started_at
              limit $3
              for update skip locked
            )
            update change_requests as request
            set claimed_until = now() + $2::interval * least(request.tries, 10),
              tries = least(request.tries + 1, 30000)
            from abandoned
            where request.tenant_id = $1
            and request.id = abandoned.id
            returning
              request.id,
              request.customer_id,
              request.subscription_id,
              request.kind,
              request.request::text,
              request.state,
              request.failure,
              request.started_at
            """,
            tenant_id,
            _LEASE,
            _BATCH,
        )
    return [from_row(row) for row in rows]


async def _settle(
    db: Database,
    provider: PaymentProvider,
    tenant_id: UUID,
    request: ChangeRequest,
    now: datetime,
) -> bool:
    """Look whether a request was made, repeat it if not; answers whether it is settled.

    What the subscription is now decides, and not an answer: to a key that was used before it is
    an old one, and a refusal may be of the repetition only.
    """
    copy, copy_no = await _look(db, provider, tenant_id, request)
    refusal = None
    if copy is None or not _is_complete(copy, request):
        refusal = await _repeat(provider, request, now)
        copy, copy_no = await _look(db, provider, tenant_id, request)
    async with db.unit(tenant_id) as unit:
        if copy is not None:
            await write_copy(unit, copy, copy_no)
        is_made = copy is not None and _shows(copy, request)
        if is_made is None and isinstance(refusal, ChangeExpired):
            refusal = ChangeUnseen()
        if refusal is None or (is_made and not isinstance(refusal, ChangeHalfMade)):
            state, failure = "done", None
        elif refusal.outcome_known and not isinstance(refusal, _TURNED_AWAY):
            state, failure = "refused", refusal.code
        else:
            state, failure = "unknown", refusal.code
        settled = await finish(unit, request, state, failure)
    return settled.state in ("done", "refused")


async def _look(
    db: Database, provider: PaymentProvider, tenant_id: UUID, request: ChangeRequest
) -> tuple[SubscriptionCopy | None, int]:
    """The subscription as it is now, and the number of this copy."""
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
    return await provider.fetch_subscription(request.subscription_id), copy_no


async def _repeat(
    provider: PaymentProvider, request: ChangeRequest, now: datetime
) -> ProviderError | None:
    """Why the request is not made; None when the provider says that it is."""
    is_late = now - request.started_at >= PATIENCE
    try:
        await (_abandon if is_late else ask)(provider, request)
    except ProviderError as error:
        _log.warning("change not made", change=request.kind, code=error.code, reason="repeated")
        return error
    return ChangeExpired() if is_late else None


async def _abandon(provider: PaymentProvider, request: ChangeRequest) -> None:
    """Take back what a dead process has left begun; raises a `ProviderError`."""
    if request.plan is not None and request.plan.when == "period_end":
        await provider.abandon_scheduled_change(request.subscription_id, request.key)


def _is_complete(copy: SubscriptionCopy, request: ChangeRequest) -> bool:
    """Whether nothing of a request is left to do: what was planned before is dropped by it too."""
    is_now = request.plan is not None and request.plan.when == "now"
    return _shows(copy, request) is True and not (is_now and copy.pending)


def _shows(copy: SubscriptionCopy, request: ChangeRequest) -> bool | None:
    """Whether a subscription is in the state that the request asked for; None if it cannot tell."""
    match request.kind:
        case "cancel":
            if request.cancellation and request.cancellation.when == "now":
                return copy.ended_at is not None
            ends = copy.cancel_at or copy.ended_at
            return copy.cancel_at_period_end or ends is not None
        case "keep":
            return not (copy.cancel_at_period_end or copy.cancel_at or copy.ended_at)
        case "undo_change":
            return copy.pending is None
        case "change_plan":
            assert request.plan is not None
            # All parts of a change are made in one call, and the items are seen for longest.
            if request.plan.items:
                return _holds(copy, request.plan)
            return _has_terms(copy, request.plan)


def _has_terms(copy: SubscriptionCopy, plan: SubscriptionChange) -> bool | None:
    """Whether a subscription has what a change without items gives; None if it cannot tell.

    A code may be spent, a period may begin by itself, and of what is planned a copy names items
    alone: none of them says that the change was not made.
    """
    if plan.when == "period_end":
        return None if copy.schedule_is_ours else False
    if plan.trial_end is not None:
        is_over = plan.trial_end <= plan.as_of
        return copy.status != "trialing" if is_over else copy.trial_end_at == plan.trial_end
    codes = {discount.promotion_code_id for discount in copy.discounts}
    return True if plan.promotion_code_id in codes - {None} else None


def _holds(copy: SubscriptionCopy, plan: SubscriptionChange) -> bool:
    """Whether a subscription has the items of a change, or is going to have them."""
    wanted = {(it.price_id, it.quantity or 1) for it in plan.items if not it.removed}
    if plan.when == "period_end" and copy.pending is not None:
        # Of what is planned, a copy names the first item.
        return (copy.pending.price_id, copy.pending.quantity or 1) in wanted
    waiting = copy.pending_update.items if copy.pending_update else ()
    items = waiting or copy.items
    gone = {it.item_id for it in plan.items if it.removed}
    return wanted <= {(it.price_id, it.quantity or 1) for it in items} and gone.isdisjoint(
        it.id for it in items
    )
