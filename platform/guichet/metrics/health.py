"""How a merchant's portal stands: its key, its webhooks, its domains, its draft, its mails."""

from typing import Literal

import msgspec

from guichet.db import Unit
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET

Key = Literal["ok", "missing", "rejected"]
Webhooks = Literal["ok", "missing", "silent"]
Domains = Literal["none", "ok", "unverified", "lost"]


class Health(msgspec.Struct, frozen=True):
    """What stands in the way of a portal, if anything."""

    key: Key = "missing"
    webhooks: Webhooks = "missing"
    domains: Domains = "none"
    #: Whether there are changes that nobody has published.
    draft: bool = False
    #: Failed payments that wait for the customer.
    asking: int = 0
    #: Mails of the last seven days that were given up.
    mails_failed: int = 0


async def read_health(unit: Unit) -> Health:
    """How the unit's tenant stands now.

    Webhooks are silent where all events of the last two days came late: those that nobody delivers
    are found in the provider's list some minutes later. Events of test clocks tell no such times.
    """
    row = await unit.fetchrow(
        """
        select
          case
            when not exists (
              select from secrets where tenant_id = $1 and name = $2
            ) then 'missing'
            when exists (
              select from provider_connections where tenant_id = $1 and rejected_at is not null
            ) then 'rejected'
            else 'ok'
          end as key,
          case
            when not exists (
              select from secrets where tenant_id = $1 and name = $3
            ) then 'missing'
            when exists (
              select
              from provider_events
              where tenant_id = $1
              and received_at > now() - interval '2 days'
            )
            and not exists (
              select
              from provider_events
              where tenant_id = $1
              and received_at > now() - interval '2 days'
              and received_at < created_at + interval '1 minute'
            )
            and not exists (select from test_clocks where tenant_id = $1) then 'silent'
            else 'ok'
          end as webhooks,
          case
            when not exists (select from hosts where tenant_id = $1) then 'none'
            when exists (
              select
              from hosts
              where tenant_id = $1
              and coalesce(lost_at, missing_since) is not null
            ) then 'lost'
            when exists (
              select from hosts where tenant_id = $1 and verified_at is null
            ) then 'unverified'
            else 'ok'
          end as domains,
          exists (
            select
            from configuration_drafts as draft
            where draft.tenant_id = $1
            and draft.document is distinct from (
              select configuration.document
              from tenants as tenant
              join configurations as configuration
                on configuration.tenant_id = $1
                and configuration.version = tenant.published_version
              where tenant.id = $1
            )
          ) as draft,
          (
            select count(1)
            from dunning_cases
            where tenant_id = $1
            and wake_at is not null
            and state = 'asking'
          ) as asking,
          (
            select count(1)
            from messages
            where tenant_id = $1
            and queued_at > now() - interval '7 days'
            and state = 'failed'
          ) as mails_failed
        """,
        unit.tenant_id,
        SECRET_KEY,
        WEBHOOK_SECRET,
    )
    return msgspec.convert(dict(row), Health) if row else Health()
