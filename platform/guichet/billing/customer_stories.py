"""Everything that is known of one customer, for the staff who help them; each part is bounded."""

from datetime import datetime

import msgspec

from guichet.billing.dunning.cases.cases import Attempt, State
from guichet.billing.dunning.decisions.facts import Access, Decision
from guichet.billing.invoices import InvoicePage, list_invoices
from guichet.billing.payment_methods import MethodBook, read_methods
from guichet.billing.subscriptions import Subscription
from guichet.db import Unit
from guichet.errors import NotFound

#: The latest of each kind.
_MOST = 20
#: Attempts of the cases that are shown.
_MOST_ATTEMPTS = 200


class Person(msgspec.Struct, frozen=True):
    """Who it is."""

    id: str
    name: str | None
    email: str | None
    created_at: datetime


class FollowedPayment(msgspec.Struct, frozen=True):
    """One failed payment: how its case stands, and every attempt. Times are the customer's."""

    invoice_id: str
    subscription_id: str | None
    state: State
    opened_at: datetime
    access: Access
    decision: Decision | None = None
    attempts: tuple[Attempt, ...] = ()


class SignedIn(msgspec.Struct, frozen=True):
    """One session in the portal."""

    provider: str
    device: str
    created_at: datetime
    seen_at: datetime
    #: Whether it has neither ended nor been revoked.
    is_live: bool


class CustomerStory(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    person: Person
    subscriptions: tuple[Subscription, ...]
    methods: MethodBook
    invoices: InvoicePage
    payments: tuple[FollowedPayment, ...]
    sessions: tuple[SignedIn, ...]


async def read_story(unit: Unit, customer_id: str, after: str | None = None) -> CustomerStory:
    """One customer with a page of invoices; raises `NotFound` for another tenant's or nobody."""
    return CustomerStory(
        person=await find_person(unit, customer_id),
        subscriptions=await _subscriptions(unit, customer_id),
        methods=await read_methods(unit, customer_id),
        invoices=await list_invoices(unit, customer_id, after),
        payments=await _payments(unit, customer_id),
        sessions=await _sessions(unit, customer_id),
    )


async def find_person(unit: Unit, customer_id: str) -> Person:
    """Who it is; raises `NotFound` for another tenant's or nobody."""
    row = await unit.fetchrow(
        """
        select id, name, email, created_at
        from customers
        where tenant_id = $1
        and id = $2
        and not deleted
        """,
        unit.tenant_id,
        customer_id,
    )
    if row is None:
        raise NotFound
    return Person(**row)


async def _subscriptions(unit: Unit, customer_id: str) -> tuple[Subscription, ...]:
    rows = await unit.fetch(
        """
        select document::text
        from subscription_documents
        where tenant_id = $1
        and customer_id = $2
        order by created_at desc
        limit $3
        """,
        unit.tenant_id,
        customer_id,
        _MOST,
    )
    return tuple(msgspec.json.decode(row["document"], type=Subscription) for row in rows)


async def _payments(unit: Unit, customer_id: str) -> tuple[FollowedPayment, ...]:
    rows = await unit.fetch(
        """
        select to_json(held)::text as document
        from dunning_cases as held
        where held.tenant_id = $1
        and held.customer_id = $2
        order by held.opened_at desc
        limit $3
        """,
        unit.tenant_id,
        customer_id,
        _MOST,
    )
    cases = [msgspec.json.decode(row["document"], type=FollowedPayment) for row in rows]
    made = await unit.fetch(
        """
        select to_json(own)::text as document
        from dunning_attempts as own
        where own.tenant_id = $1
        and own.invoice_id = any($2::text[])
        order by own.number desc
        limit $3
        """,
        unit.tenant_id,
        [case.invoice_id for case in cases],
        _MOST_ATTEMPTS,
    )
    attempts = [msgspec.json.decode(row["document"], type=Attempt) for row in made]
    return tuple(
        msgspec.structs.replace(
            case, attempts=tuple(it for it in attempts if it.invoice_id == case.invoice_id)
        )
        for case in cases
    )


async def _sessions(unit: Unit, customer_id: str) -> tuple[SignedIn, ...]:
    rows = await unit.fetch(
        """
        select
          provider,
          device,
          created_at,
          seen_at,
          revoked_at is null and expires_at > now() as is_live
        from sessions
        where tenant_id = $1
        and customer_id = $2
        order by created_at desc
        limit $3
        """,
        unit.tenant_id,
        customer_id,
        _MOST,
    )
    return tuple(SignedIn(**row) for row in rows)
