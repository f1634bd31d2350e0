"""Cancelling, and taking a cancellation or a planned change back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.billing.change_requests import (
    ChangeRequest,
    Kind,
    find_request,
    latest_request,
)
from guichet.billing.changes import ChangeRefused, NotLive, PlannedByMerchant
from guichet.billing.subscriptions import Subscription, find_subscription, hold_still
from guichet.errors import Conflict
from guichet.portal.cancel_form import cancel_form, read_cancellation
from guichet.portal.outcome import make_change, outcome_path
from guichet.portal.read_only import READS
from guichet.portal.switches import CANCELLING
from guichet.portal.visit import Visit
from guichet.web.forms import AnyRequest, Form, MissingField, read_form

SubscriptionId = Annotated[str, PathParameter(max_length=255)]


class AlreadyCancelling(ChangeRefused):
    """This subscription is already set to end. Nothing was changed."""

    code = "already_cancelling"


class NotCancelling(ChangeRefused):
    """This subscription is not set to end. Nothing was changed."""

    code = "not_cancelling"


class NothingPlanned(ChangeRefused):
    """No change is planned for this subscription. Nothing was changed."""

    code = "nothing_planned"


@get("/subscriptions/{subscription_id:str}/cancel", opt=CANCELLING | READS)
async def ask_to_cancel(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId
) -> ASGIResponse:
    """What cancelling means, with one plain button that does it."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        subscription = await find_subscription(unit, session.customer_id, subscription_id)
    refusal = _why_not_cancel(subscription)
    return _show_refusal(visit, subscription, refusal) if refusal else _show(visit, subscription)


@post("/subscriptions/{subscription_id:str}/cancel", opt=CANCELLING, status_code=200)
async def confirm_cancel(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Cancel as the customer was shown, once, however often the form is sent."""
    form = await read_form(request)
    asked = await _receive(visit, subscription_id, form)
    if asked.known:
        return visit.redirect(outcome_path(asked.known.subscription_id, asked.known.id))
    refusal = _why_not_cancel(asked.subscription)
    if refusal:
        return _show_refusal(visit, asked.subscription, refusal)
    try:
        order = read_cancellation(visit.configuration, asked.subscription.id, form)
    except ChangeRefused as refusal:
        return _show(visit, asked.subscription, form, refusal)
    return await make_change(visit, asked.subscription, "cancel", asked.token, order, asked.read_at)


@post("/subscriptions/{subscription_id:str}/keep", status_code=200)
async def keep(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Take a cancellation back before it happens."""
    asked = await _receive(visit, subscription_id, await read_form(request))
    subscription = asked.subscription
    if not subscription.is_live:
        raise NotLive
    if subscription.is_led_by_merchant:
        raise PlannedByMerchant
    is_ending = subscription.cancel_at_period_end or subscription.cancel_at
    return await _take_back(visit, asked, "keep", None if is_ending else NotCancelling())


@post("/subscriptions/{subscription_id:str}/change/undo", status_code=200)
async def undo_change(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Drop a change that was planned for the end of the period."""
    asked = await _receive(visit, subscription_id, await read_form(request))
    if asked.subscription.is_led_by_merchant:
        raise PlannedByMerchant
    refusal = None if asked.subscription.pending else NothingPlanned()
    return await _take_back(visit, asked, "undo_change", refusal)


class Asked(msgspec.Struct, frozen=True):
    """A form that was sent: about what, and what became of it if it was sent before."""

    subscription: Subscription
    token: UUID
    known: ChangeRequest | None
    #: When the subscription was read, by the database's clock.
    read_at: datetime


async def _take_back(
    visit: Visit, asked: Asked, kind: Kind, refusal: ChangeRefused | None
) -> ASGIResponse:
    """Make the change; a second click of its button goes to what the first one has done."""
    subscription = asked.subscription
    try:
        if refusal is not None:
            raise refusal
        return await make_change(visit, subscription, kind, asked.token, read_at=asked.read_at)
    except Conflict:
        async with visit.deployment.db.unit(visit.tenant.id) as unit:
            latest = await latest_request(unit, subscription.customer_id, subscription.id)
        if latest is None or latest.kind != kind or latest.state == "refused":
            raise
        return visit.redirect(outcome_path(latest.subscription_id, latest.id))


async def _receive(visit: Visit, subscription_id: str, form: Form) -> Asked:
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        visit.check_form(form)
        token = _token(form)
        return Asked(
            read_at=await hold_still(unit, subscription_id),
            subscription=await find_subscription(unit, session.customer_id, subscription_id),
            token=token,
            known=await find_request(unit, session.customer_id, token),
        )


def _token(form: Form) -> UUID:
    try:
        # The buttons that take something back carry no token: it cannot be taken back twice.
        return UUID(form["token"]) if "token" in form else uuid4()
    except ValueError as error:
        raise MissingField from error


def _why_not_cancel(subscription: Subscription) -> ChangeRefused | None:
    if not subscription.is_live:
        return NotLive()
    if subscription.cancel_at_period_end or subscription.cancel_at:
        return AlreadyCancelling()
    if subscription.is_led_by_merchant:
        return PlannedByMerchant()
    return None


def _show(
    visit: Visit,
    subscription: Subscription,
    typed: Form | None = None,
    refusal: ChangeRefused | None = None,
) -> ASGIResponse:
    """The page that asks, with what was typed where something is still to be said."""
    return visit.page(
        "cancel.html",
        status=refusal.status if refusal else 200,
        subscription=subscription,
        form=cancel_form(visit.configuration.cancel, visit.locale, typed or {}),
        fields={"csrf": visit.csrf, "token": str(uuid4())},
        message=refusal.message if refusal else None,
    )


def _show_refusal(visit: Visit, subscription: Subscription, refusal: ChangeRefused) -> ASGIResponse:
    """The page that says why this cannot be cancelled."""
    return visit.page(
        "cancel.html",
        status=refusal.status,
        subscription=subscription,
        form=None,
        fields={},
        message=refusal.message,
    )
