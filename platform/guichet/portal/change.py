"""Changing a plan: choose, see the exact amount, confirm."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.billing.catalog import Price, find_prices
from guichet.billing.change_requests import find_request
from guichet.billing.changes import (
    ChangeRefused,
    NotOffered,
    PlanOption,
    check_changeable,
    decide,
    main_item,
    offer_of,
    offered_options,
    order,
)
from guichet.billing.subscriptions import Item, Subscription, find_subscription, hold_still
from guichet.payments.orders import SubscriptionChange
from guichet.portal.choice import (
    Choice,
    Confirmation,
    confirmation_fields,
    is_recent,
    proration_moment,
    read_choice,
    read_confirmation,
    terms_of,
)
from guichet.portal.outcome import make_change, outcome_path
from guichet.portal.read_only import READS
from guichet.portal.switches import CHANGING
from guichet.portal.visit import Visit
from guichet.web.forms import AnyRequest, read_form

SubscriptionId = Annotated[str, PathParameter(max_length=255)]


class AmountChanged(ChangeRefused):
    """The amount has changed since it was shown. Please check it once more before you confirm."""

    code = "amount_changed"


class TermsChanged(AmountChanged):
    """The merchant has changed how this is done. Please check it once more before you confirm."""

    code = "terms_changed"


class Proposal(msgspec.Struct, frozen=True):
    """A change that the merchant's rules allow, ready to be previewed or made."""

    subscription: Subscription
    item: Item
    price: Price
    plan: SubscriptionChange
    #: The database's time when the subscription was read.
    read_at: datetime


@get("/subscriptions/{subscription_id:str}/change", opt=CHANGING | READS)
async def choose_plan(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId
) -> ASGIResponse:
    """The plans that this subscription can move to, and when each would apply."""
    return await _show_options(visit, subscription_id, None)


@get("/subscriptions/{subscription_id:str}/change/review", opt=CHANGING | READS)
async def review_change(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """The exact amount of a change, now and next, computed by the provider."""
    try:
        choice = read_choice(dict(request.query_params.items()))
        return await _show_review(visit, subscription_id, choice, None)
    except ChangeRefused as refusal:
        return await _show_options(visit, subscription_id, refusal)


@post("/subscriptions/{subscription_id:str}/change", opt=CHANGING, status_code=200)
async def confirm_change(
    visit: NamedDependency[Visit], subscription_id: SubscriptionId, request: AnyRequest
) -> ASGIResponse:
    """Make the change whose amount was shown, once, however often the form is sent."""
    form = await read_form(request)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        visit.check_form(form)
        confirmed = read_confirmation(form)
        known = await find_request(unit, session.customer_id, confirmed.token)
        if known is not None:
            return visit.redirect(outcome_path(known.subscription_id, known.id))
    try:
        proposal = await _propose(visit, subscription_id, confirmed.choice, confirmed.as_of)
        await _check_amount(visit, proposal, confirmed)
    except ChangeRefused as refusal:
        # A second click may come upon what the first one has done in the meantime.
        async with visit.deployment.db.unit(visit.tenant.id) as unit:
            known = await find_request(unit, session.customer_id, confirmed.token)
        if known is not None:
            return visit.redirect(outcome_path(known.subscription_id, known.id))
        if isinstance(refusal, AmountChanged):
            return await _show_review(visit, subscription_id, confirmed.choice, refusal)
        return await _show_options(visit, subscription_id, refusal)
    return await make_change(
        visit,
        proposal.subscription,
        "change_plan",
        confirmed.token,
        proposal.plan,
        proposal.read_at,
    )


async def _propose(
    visit: Visit, subscription_id: str, choice: Choice, as_of: datetime | None = None
) -> Proposal:
    """Apply the merchant's rules; raises `ChangeRefused`."""
    offer = offer_of(visit.configuration)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        read_at = await hold_still(unit, subscription_id)
        subscription = await find_subscription(unit, session.customer_id, subscription_id)
        price = (await find_prices(unit, [choice.price_id])).get(choice.price_id)
    if price is None:
        raise NotOffered
    outcome = decide(offer, subscription, price, choice.quantity)
    item = main_item(subscription, offer.plans)
    moment = as_of or proration_moment(subscription, datetime.now(UTC))
    plan = order(outcome, subscription, item, price, choice.quantity, moment)
    return Proposal(subscription, item, price, plan, read_at)


async def _check_amount(visit: Visit, proposal: Proposal, confirmed: Confirmation) -> None:
    """Raise `AmountChanged` unless exactly what was shown would be done and charged."""
    if terms_of(proposal.plan) != confirmed.terms:
        raise TermsChanged
    moment = proration_moment(proposal.subscription, datetime.now(UTC))
    if not is_recent(confirmed.as_of, moment):
        raise AmountChanged
    provider = await visit.deployment.providers.client(visit.tenant.id)
    preview = await provider.preview_change(proposal.plan)
    if preview.due_now.amount != confirmed.due_now:
        raise AmountChanged


async def _show_options(
    visit: Visit, subscription_id: str, refusal: ChangeRefused | None
) -> ASGIResponse:
    offer = offer_of(visit.configuration)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        subscription = await find_subscription(unit, session.customer_id, subscription_id)
        prices = await find_prices(unit, [plan.price_id for plan in offer.plans])
    options: tuple[PlanOption, ...] = ()
    try:
        check_changeable(subscription, offer.changes)
        options = offered_options(offer, subscription, prices, visit.locale)
    except ChangeRefused as reason:
        refusal = reason
    return visit.page(
        "change.html",
        status=refusal.status if refusal else 200,
        subscription=subscription,
        options=options,
        message=refusal.message if refusal else None,
    )


async def _show_review(
    visit: Visit, subscription_id: str, choice: Choice, refusal: ChangeRefused | None
) -> ASGIResponse:
    proposal = await _propose(visit, subscription_id, choice)
    provider = await visit.deployment.providers.client(visit.tenant.id)
    preview = await provider.preview_change(proposal.plan)
    plan = proposal.plan
    return visit.page(
        "change_review.html",
        status=refusal.status if refusal else 200,
        subscription=proposal.subscription,
        current=proposal.item,
        price=proposal.price,
        quantity=choice.quantity,
        when=plan.when,
        ends_trial=plan.trial_end is not None,
        new_period=plan.anchor == "now",
        preview=preview,
        effective_at=None if plan.when == "now" else proposal.subscription.current_period_end_at,
        fields=confirmation_fields(choice, plan, preview.due_now, visit.csrf),
        message=refusal.message if refusal else None,
    )
