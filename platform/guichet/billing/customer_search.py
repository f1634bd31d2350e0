"""A merchant's customers as its staff look for them: newest first, or by what they are called.

Each list costs the same in a mirror of a hundred and of a hundred thousand customers: it reads a
page of an index, and what is told of each customer by their keys.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from guichet.db import Unit
from guichet.errors import NotFound

#: How many customers a page shows, and a search at most.
PAGE_SIZE = 50

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
        return f"{(self.created_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


class CustomerPage(msgspec.Struct, frozen=True):
    """A page; `older` is the key to continue from, None at the end."""

    customers: tuple[FoundCustomer, ...]
    older: str | None


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


async def search_customers(unit: Unit, text: str) -> tuple[FoundCustomer, ...]:
    """Those with this id, or whose address of mail or name begins with the text.

    As many as a page shows, and one more where there are more.
    """
    beginning = re.sub(r"([\\%_])", r"\\\1", text.lower()) + "%"
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
          and lower(email) like $3
          and not deleted
          order by lower(email) using ~<~
          limit $4
        )
        union
        (
          select id
          from customers
          where tenant_id = $1
          and lower(name) like $3
          and not deleted
          order by lower(name) using ~<~
          limit $4
        )
        """,
        unit.tenant_id,
        text,
        beginning,
        PAGE_SIZE + 1,
    )
    found = await _describe(unit, [row["id"] for row in rows])
    return found[: PAGE_SIZE + 1]


async def _describe(unit: Unit, ids: list[str]) -> tuple[FoundCustomer, ...]:
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


def _place(key: str | None) -> tuple[datetime, str]:
    if not key:
        return _END_OF_TIME, ""
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotFound
    return _EPOCH + timedelta(microseconds=int(match[1])), match[2]
