"""The portal's home: everything a customer has, in one round trip to the database."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.auth.sessions import Session
from guichet.billing.changes import offer_of
from guichet.billing.failed_payments import FailedPayment, failed_payments_of
from guichet.billing.invoices import Invoice
from guichet.billing.payment_methods import PaymentMethod
from guichet.billing.subscriptions import Subscription, find_subscription
from guichet.errors import SignInRequired
from guichet.portal.read_only import READS
from guichet.portal.visit import Visit
from tenants.configuration import Configuration


class Home(msgspec.Struct, frozen=True):
    """What the database function `portal_home` answers."""

    session: Session
    subscriptions: tuple[Subscription, ...]
    payment_method: PaymentMethod | None
    invoices: tuple[Invoice, ...]
    failed_payments: tuple[FailedPayment, ...]
    #: The time that the customer lives in.
    now: datetime


def _abilities(configuration: Configuration) -> dict[str, bool]:
    """What the pages say can be done about a subscription."""
    offer = offer_of(configuration)
    return {
        "may_change": offer.may_change,
        "may_change_overdue": "past_due" in offer.statuses,
        "may_cancel": configuration.cancel.enabled,
    }


_decoder = msgspec.json.Decoder(Home)


@get("/", opt=READS)
async def home(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Subscriptions, payment method and the last invoices."""
    session_hash = visit.session_hash
    if session_hash is None:
        raise SignInRequired
    document = await visit.deployment.db.read(
        "select portal_home($1, $2)", visit.tenant.id, session_hash
    )
    if document is None:
        raise SignInRequired
    shown = _decoder.decode(document)
    visit.session = shown.session
    return visit.page(
        "home.html",
        subscriptions=shown.subscriptions,
        payment_method=shown.payment_method,
        invoices=shown.invoices,
        failed_payments=shown.failed_payments,
        today=shown.now,
        **_abilities(visit.configuration),
    )


@get("/subscriptions/{subscription_id:str}", opt=READS)
async def subscription(
    visit: NamedDependency[Visit],
    subscription_id: Annotated[str, PathParameter(max_length=255)],
) -> ASGIResponse:
    """One subscription with what can be done about it."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        found = await find_subscription(unit, session.customer_id, subscription_id)
        failed = await failed_payments_of(unit, session.customer_id, found.id)
    return visit.page(
        "subscription.html",
        subscription=found,
        failed_payments=failed,
        **_abilities(visit.configuration),
    )
