"""Cancelling at the end of the period, and taking a cancellation or a planned change back."""

from typing import Annotated
from uuid import UUID, uuid4

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.billing.change_requests import find_request
from guichet.billing.changes import ChangeRefused, NotAllowed, NotLive
from guichet.billing.subscriptions import Subscription, find_subscription
from guichet.portal.forms import AnyRequest, Form, MissingField, read_form
from guichet.portal.outcome import make_change, outcome_path
from guichet.portal.visit import Visit

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


@get("/subscriptions/{subscription_id:str}/cancel")
async def ask_to_cancel(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId
) -> ASGIResponse:
    """What cancelling means, with one plain button that does it."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        subscription = await find_subscription(unit, session.customer_id, subscription_id)
    return _show(visit, subscription, _why_not_cancel(visit, subscription))


@post("/subscriptions/{subscription_id:str}/cancel", status_code=200)
async def confirm_cancel(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Cancel at the end of the period, once, however often the form is sent."""
    form = await read_form(request)
    subscription, token, path = await _receive(visit, subscription_id, form)
    if path:
        return visit.redirect(path)
    refusal = _why_not_cancel(visit, subscription)
    if refusal:
        return _show(visit, subscription, refusal)
    return await make_change(visit, subscription, "cancel", token)


@post("/subscriptions/{subscription_id:str}/keep", status_code=200)
async def keep(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Take a cancellation back before it happens."""
    subscription, token, path = await _receive(visit, subscription_id, await read_form(request))
    if path:
        return visit.redirect(path)
    if not subscription.is_live:
        raise NotLive
    if not (subscription.cancel_at_period_end or subscription.cancel_at):
        raise NotCancelling
    return await make_change(visit, subscription, "keep", token)


@post("/subscriptions/{subscription_id:str}/change/undo", status_code=200)
async def undo_change(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Drop a change that was planned for the end of the period."""
    subscription, token, path = await _receive(visit, subscription_id, await read_form(request))
    if path:
        return visit.redirect(path)
    if subscription.pending is None:
        raise NothingPlanned
    return await make_change(visit, subscription, "undo_change", token)


async def _receive(
    visit: Visit, subscription_id: str, form: Form
) -> tuple[Subscription, UUID, str | None]:
    """The subscription and the form's token; with a path when this form was sent before."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        visit.check_form(form)
        token = _token(form)
        subscription = await find_subscription(unit, session.customer_id, subscription_id)
        known = await find_request(unit, session.customer_id, token)
    return subscription, token, outcome_path(subscription_id, token) if known else None


def _token(form: Form) -> UUID:
    try:
        # The buttons on lists carry no token: what they do cannot be done twice.
        return UUID(form["token"]) if "token" in form else uuid4()
    except ValueError as error:
        raise MissingField from error


def _why_not_cancel(visit: Visit, subscription: Subscription) -> ChangeRefused | None:
    if not subscription.is_live:
        return NotLive()
    if subscription.cancel_at_period_end or subscription.cancel_at:
        return AlreadyCancelling()
    return None if visit.configuration.cancel.enabled else NotAllowed()


def _show(visit: Visit, subscription: Subscription, refusal: ChangeRefused | None) -> ASGIResponse:
    return visit.page(
        "cancel.html",
        status=refusal.status if refusal else 200,
        subscription=subscription,
        fields={} if refusal else {"csrf": visit.csrf, "token": str(uuid4())},
        message=refusal.message if refusal else None,
    )
