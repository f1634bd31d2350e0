"""Making a confirmed change, and the page that says what became of it."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.billing.change_refusals import FAILURES
from guichet.billing.change_requests import (
    ChangeRequest,
    Kind,
    carry_out,
    find_request,
    start_request,
)
from guichet.billing.news import FOLLOW_NEWS
from guichet.billing.subscriptions import Subscription, find_subscription
from guichet.errors import Conflict, NotFound
from guichet.messages.queueing import SEND_MESSAGES
from guichet.payments.orders import Cancellation, SubscriptionChange
from guichet.portal.read_only import READS
from guichet.portal.visit import Visit

_log = structlog.get_logger()

#: Longer than the provider may take to answer, and with what is written down after it, shorter
#: than the request's lease.
_MAKING_S = 12
#: How long the page waits for a change that is being made before it says so and looks again.
WAIT_S = 3.0
#: The first pause between two looks; each is twice as long as the one before.
_PAUSE_S = 0.1


def outcome_path(subscription_id: str, request_id: UUID) -> str:
    """Where the outcome of a change is shown."""
    return f"/subscriptions/{subscription_id}/changes/{request_id}"


async def make_change(
    visit: Visit,
    subscription: Subscription,
    kind: Kind,
    token: UUID,
    order: SubscriptionChange | Cancellation | None = None,
    read_at: datetime | None = None,
) -> ASGIResponse:
    """Start a change, carry it out and go to its outcome.

    Two posts of one form make one request: the second goes to the outcome of the first. Raises
    `ChangeUnfinished` while another change of this subscription is under way, `Conflict` when one
    was made since `read_at`.
    """
    deployment, tenant_id = visit.deployment, visit.tenant.id
    provider = await deployment.providers.client(tenant_id)
    path = outcome_path(subscription.id, token)
    try:
        async with deployment.db.unit(tenant_id) as unit:
            request = await start_request(
                unit, token, subscription.customer_id, subscription.id, kind, order, read_at
            )
    except Conflict:
        async with deployment.db.unit(tenant_id) as unit:
            if await find_request(unit, subscription.customer_id, token):
                return visit.redirect(path)
        raise
    try:
        async with asyncio.timeout(_MAKING_S):
            await carry_out(deployment.db, provider, tenant_id, request)
    except Exception:
        # It is written down, so a worker settles it; no page may say that nothing was changed.
        _log.exception("change left unfinished", request_id=visit.request_id, change=kind)
    for job in (FOLLOW_NEWS, SEND_MESSAGES):
        await deployment.outbox.knock(job, str(tenant_id))
    return visit.redirect(path)


@get("/subscriptions/{subscription_id:str}/changes/{request_id:uuid}", opt=READS)
async def show_outcome(
    visit: NamedDependency[Visit],
    subscription_id: Annotated[str, PathParameter(max_length=255)],
    request_id: Annotated[UUID, PathParameter()],
) -> ASGIResponse:
    """What became of a change; one that is still being made is waited for a little."""
    request, subscription = await _find(visit, subscription_id, request_id)
    waited, pause = 0.0, _PAUSE_S
    while request.state in ("started", "unknown") and waited < WAIT_S:
        await asyncio.sleep(pause)
        waited, pause = waited + pause, 2 * pause
        request, subscription = await _find(visit, subscription_id, request_id)
    outcome = _outcome(request)
    failure = FAILURES.get(request.failure or "")
    response = visit.page(
        "change_result.html",
        outcome=outcome,
        message=failure().message if failure and outcome == "refused" else None,
        subscription=subscription,
        retry_url=f"/subscriptions/{subscription_id}/change"
        if outcome == "refused" and request.kind == "change_plan"
        else None,
    )
    if outcome == "unknown":
        response.headers.add("refresh", "5")
    return response


async def _find(
    visit: Visit, subscription_id: str, request_id: UUID
) -> tuple[ChangeRequest, Subscription]:
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = visit.session or await visit.identify(unit)
        request = await find_request(unit, session.customer_id, request_id)
        if request is None or request.subscription_id != subscription_id:
            raise NotFound
        return request, await find_subscription(unit, session.customer_id, subscription_id)


def _outcome(request: ChangeRequest) -> str:
    """The name by which the page words an outcome."""
    if request.state in ("started", "unknown"):
        return "unknown"
    if request.state == "refused":
        return "refused"
    match request.kind:
        case "cancel":
            at_once = request.cancellation is not None and request.cancellation.when == "now"
            return "cancelled" if at_once else "cancelling"
        case "keep":
            return "kept"
        case "undo_change":
            return "undone"
        case "change_plan":
            planned = request.plan is not None and request.plan.when == "period_end"
            return "scheduled" if planned else "done"
