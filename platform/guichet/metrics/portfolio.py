"""An agency's merchants with their figures, page by page."""

from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from guichet.db import Connection
from guichet.metrics.health import Health
from guichet.metrics.mrr import Revenue

#: Merchants of one page.
PAGE = 20

Show = Literal["all", "active", "suspended", "attention"]


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; without figures until they were counted for the first time."""

    id: UUID
    slug: str
    name: str
    status: str
    #: What the list by name is sorted by: the name in lower case.
    sort_name: str
    computed_at: datetime | None
    customers: int = 0
    active: int = 0
    failed: int = 0
    recovered: int = 0
    mrr: Revenue = msgspec.field(default_factory=dict)
    health: Health = msgspec.field(default_factory=Health)


class Key(NamedTuple):
    """Where a page by name begins: behind this one."""

    sort_name: str = ""
    slug: str = ""


async def list_by_name(
    connection: Connection, agency_id: UUID, after: Key, search: str = "", show: Show = "all"
) -> list[Merchant]:
    """A page of merchants behind a key, and one more where there is a next page.

    `connection` acts as `guichet_agency`. `search` is part of a name or a slug.
    """
    rows = await connection.fetch(
        """
        select
          tenant.id,
          tenant.slug,
          tenant.name,
          tenant.status,
          lower(tenant.name) as sort_name,
          figures.computed_at,
          figures.customers,
          figures.active,
          figures.failed,
          figures.recovered,
          figures.mrr::text,
          figures.health::text
        from tenants as tenant
        left join tenant_figures as figures
          on figures.tenant_id = tenant.id
          and figures.agency_id = $1
        where tenant.agency_id = $1
        and (lower(tenant.name), tenant.slug) > ($2, $3)
        and ($4 = '' or position($4 in lower(tenant.name)) > 0 or position($4 in tenant.slug) > 0)
        and (
          $5 = 'all'
          or tenant.status = $5
          or (
            $5 = 'attention'
            and (
              figures.health ->> 'key' = 'rejected'
              or figures.health ->> 'webhooks' = 'silent'
              or figures.health ->> 'domains' = 'lost'
              or (figures.health ->> 'mails_failed')::integer > 0
            )
          )
        )
        order by lower(tenant.name), tenant.slug
        limit $6
        """,
        agency_id,
        after.sort_name,
        after.slug,
        search.lower(),
        show,
        PAGE + 1,
    )
    return [_merchant(dict(row)) for row in rows]


async def list_by_slug(
    connection: Connection, agency_id: UUID, after: str, search: str = "", show: Show = "all"
) -> list[Merchant]:
    """The same by address."""
    rows = await connection.fetch(
        """
        select
          tenant.id,
          tenant.slug,
          tenant.name,
          tenant.status,
          lower(tenant.name) as sort_name,
          figures.computed_at,
          figures.customers,
          figures.active,
          figures.failed,
          figures.recovered,
          figures.mrr::text,
          figures.health::text
        from tenants as tenant
        left join tenant_figures as figures
          on figures.tenant_id = tenant.id
          and figures.agency_id = $1
        where tenant.agency_id = $1
        and tenant.slug > $2
        and ($3 = '' or position($3 in lower(tenant.name)) > 0 or position($3 in tenant.slug) > 0)
        and (
          $4 = 'all'
          or tenant.status = $4
          or (
            $4 = 'attention'
            and (
              figures.health ->> 'key' = 'rejected'
              or figures.health ->> 'webhooks' = 'silent'
              or figures.health ->> 'domains' = 'lost'
              or (figures.health ->> 'mails_failed')::integer > 0
            )
          )
        )
        order by tenant.slug
        limit $5
        """,
        agency_id,
        after,
        search.lower(),
        show,
        PAGE + 1,
    )
    return [_merchant(dict(row)) for row in rows]


def _merchant(row: dict[str, Any]) -> Merchant:
    """A row as it stands; what was not counted yet is left at nothing."""
    known = {name: value for name, value in row.items() if value is not None}
    for name, kind in (("mrr", Revenue), ("health", Health)):
        if name in known:
            known[name] = msgspec.json.decode(known[name], type=kind)
    return Merchant(**{"computed_at": None, **known})
