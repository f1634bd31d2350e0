"""A merchant's customers as its staff look for them: newest first, by standing, by what they are
called.

Each list costs the same in a mirror of a hundred and of a hundred thousand customers: it reads a
page of an index, and what is told of each customer by their keys. Where some of what an index has
is left out, no more than `_MOST_READ` of it is read for a page, and the next one goes on there.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from guichet.db import Unit
from guichet.errors import NotFound

#: How many customers a page shows, and a search at most.
PAGE_SIZE = 50

#: How a customer's subscriptions stand, by the database's `standing_of`; `cancelled` is who had one
#: and has none that lives.
Standing = Literal["active", "trial", "past_due", "cancelled"]

#: Written out in the statements too: where a limit is a parameter, a kept plan may read everything.
_MOST_READ = 500
#: Comes after all that begins with what stands before it: columns are compared by code points.
_LAST = "\U0010ffff"
_KEY = re.compile(r"([0-9]{1,17})-([A-Za-z0-9_]{1,100})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class FoundCustomer(msgspec.Struct, frozen=True):
    """One line of the list."""

    id: str
    name: str | None
    email: str | None
    created_at: datetime
    #: Of the subscriptions that have not ended, each once.
    statuses: tuple[str, ...]
    #: Whether a failed payment is being followed.
    is_failing: bool

    @property
    def key(self) -> str:
        """Where the page after this line begins."""
        return _key(self.created_at, self.id)


class CustomerPage(msgspec.Struct, frozen=True):
    """A page; `older` is the key to continue from, None at the end."""

    customers: tuple[FoundCustomer, ...]
    older: str | None


class FoundCustomers(msgspec.Struct, frozen=True):
    """What was looked for, no more than a page shows; `has_more` says that there may be more."""

    customers: tuple[FoundCustomer, ...]
    has_more: bool


async def list_customers(unit: Unit, after: str | None = None) -> CustomerPage:
    """Everybody, the newest first, behind a key; raises `NotFound` for a malformed one."""
    created_at, customer_id = _place(after)
    rows = await unit.fetch(
        """
        select id
        from customers
        where tenant_id = $1
        and not deleted
        and (created_at, id) < ($2, $3)
        order by created_at desc, id desc
        limit $4
        """,
        unit.tenant_id,
        created_at,
        customer_id,
        PAGE_SIZE + 1,
    )
    found = await _describe(unit, [row["id"] for row in rows])
    shown = found[:PAGE_SIZE]
    return CustomerPage(shown, shown[-1].key if len(found) > PAGE_SIZE else None)


async def list_standing(unit: Unit, standing: Standing, after: str | None = None) -> CustomerPage:
    """Those who stand so, by their newest subscription that does, the newest first, behind a key.

    A page may be shorter than others, and even empty, though there are more. Raises `NotFound` for
    a malformed key.
    """
    created_at, subscription_id = _place(after)
    rows = await unit.fetch(
        """
        select walked.customer_id, walked.created_at, walked.id
        from (
          select id, customer_id, created_at
          from subscriptions
          where tenant_id = $1
          and standing_of(status) = $2
          and (created_at, id) < ($3, $4)
          order by created_at desc, id desc
          limit 500
        ) as walked
        cross join lateral (
          select
          from customers
          where tenant_id = $1
          and id = walked.customer_id
          and not deleted
          limit 1
        ) as person
        where not exists (
          select
          from subscriptions as other
          where other.tenant_id = $1
          and other.customer_id = walked.customer_id
          and (
            standing_of(other.status) = $2
            and (other.created_at, other.id) > (walked.created_at, walked.id)
            or $2 = 'cancelled'
            and other.status not in ('canceled', 'incomplete_expired')
          )
        )
        order by walked.created_at desc, walked.id desc
        limit 51
        """,
        unit.tenant_id,
        standing,
        created_at,
        subscription_id,
    )
    shown = rows[:PAGE_SIZE]
    found = {it.id: it for it in await _describe(unit, [row["customer_id"] for row in shown])}
    if len(rows) > PAGE_SIZE:
        older: str | None = _key(shown[-1]["created_at"], shown[-1]["id"])
    else:
        older = await _last_read(unit, standing, created_at, subscription_id)
    return CustomerPage(tuple(found[row["customer_id"]] for row in shown), older)


async def _last_read(
    unit: Unit, standing: Standing, created_at: datetime, subscription_id: str
) -> str | None:
    """The key of the last of as many subscriptions as are read for a page; None where they end."""
    row = await unit.fetchrow(
        """
        select created_at, id
        from subscriptions
        where tenant_id = $1
        and standing_of(status) = $2
        and (created_at, id) < ($3, $4)
        order by created_at desc, id desc
        offset 499
        limit 1
        """,
        unit.tenant_id,
        standing,
        created_at,
        subscription_id,
    )
    return _key(row["created_at"], row["id"]) if row else None


async def search_customers(
    unit: Unit, text: str, standing: Standing | None = None
) -> FoundCustomers:
    """Those with this id, or whose address of mail or name begins with the text."""
    most = PAGE_SIZE + 1 if standing is None else _MOST_READ
    ids = await _called(unit, text, most)
    has_more = len(ids) >= most
    if standing is not None:
        ids = await _standing(unit, ids, standing)
    found = await _describe(unit, ids)
    return FoundCustomers(found[:PAGE_SIZE], has_more or len(found) > PAGE_SIZE)


async def _standing(unit: Unit, ids: Sequence[str], standing: Standing) -> list[str]:
    """Those of the customers who stand so."""
    rows = await unit.fetch(
        """
        select held.customer_id as id
        from subscriptions as held
        where held.tenant_id = $1
        and held.customer_id = any($2::text[])
        group by held.customer_id
        having bool_or(standing_of(held.status) = $3)
        and (
          $3 <> 'cancelled'
          or bool_and(held.status in ('canceled', 'incomplete_expired'))
        )
        """,
        unit.tenant_id,
        ids,
        standing,
    )
    return [row["id"] for row in rows]


async def _called(unit: Unit, text: str, most: int) -> list[str]:
    """The ids of up to `most` customers by each of the ways in which one may be called."""
    rows = await unit.fetch(
        """
        select id
        from customers
        where tenant_id = $1
        and id = $2
        and not deleted
        union
        (
          select id
          from customers
          where tenant_id = $1
          and sought_email between lower($2) and lower($2) || $3
          and not deleted
          order by sought_email
          limit $4
        )
        union
        (
          select id
          from customers
          where tenant_id = $1
          and sought_name between lower($2) and lower($2) || $3
          and not deleted
          order by sought_name
          limit $4
        )
        """,
        unit.tenant_id,
        text,
        _LAST,
        most,
    )
    return [row["id"] for row in rows]


async def _describe(unit: Unit, ids: Sequence[str]) -> tuple[FoundCustomer, ...]:
    rows = await unit.fetch(
        """
        select
          customer.id,
          customer.name,
          customer.email,
          customer.created_at,
          array(
            select distinct subscription.status
            from subscriptions as subscription
            where subscription.tenant_id = $1
            and subscription.customer_id = customer.id
            and subscription.status not in ('canceled', 'incomplete_expired')
            order by subscription.status
          ) as statuses,
          exists (
            select
            from dunning_cases as held
            where held.tenant_id = $1
            and held.customer_id = customer.id
            and held.wake_at is not null
          ) as is_failing
        from customers as customer
        where customer.tenant_id = $1
        and customer.id = any($2::text[])
        order by customer.created_at desc, customer.id desc
        """,
        unit.tenant_id,
        ids,
    )
    return tuple(msgspec.convert(dict(row), FoundCustomer) for row in rows)


def _key(created_at: datetime, object_id: str) -> str:
    return f"{(created_at - _EPOCH) // timedelta(microseconds=1)}-{object_id}"


def _place(key: str | None) -> tuple[datetime, str]:
    if not key:
        return _END_OF_TIME, ""
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotFound
    return _EPOCH + timedelta(microseconds=int(match[1])), match[2]
