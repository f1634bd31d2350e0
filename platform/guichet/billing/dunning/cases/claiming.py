"""Cases as jobs: claimed in batches under a lease, which runs out where nobody settles them."""

from datetime import timedelta

from guichet.db import Unit

#: Cases that one run has in hand at the same time: nobody's provider is asked more by one process.
BATCH = 16
#: Longer than any step may take, shorter than a killed worker's cases may wait.
LEASE = timedelta(seconds=30)


async def claim(unit: Unit, version: int) -> list[str]:
    """Take a lease on cases that are due, or were decided by an earlier version than `version`.

    They stay locked until the unit ends. There are none while the tenant's provider turns us away:
    a charge could not be made, and what is only written down can wait too.
    """
    due = await _claim_due(unit)
    if len(due) < BATCH:
        due += await _claim_outdated(unit, version, BATCH - len(due))
    return due


async def _claim_due(unit: Unit) -> list[str]:
    rows = await unit.fetch(
        """
        with due as (
          select invoice_id
          from dunning_cases
          where tenant_id = $1
          and wake_at <= now()
          and not exists (
            select
            from provider_connections as connection
            where connection.tenant_id = $1
            and connection.stopped
          )
          order by wake_at
          limit $2
          for update skip locked
        )
        update dunning_cases as held
        set wake_at = now() + $3::interval
        from due
        where held.tenant_id = $1
        and held.invoice_id = due.invoice_id
        returning held.invoice_id
        """,
        unit.tenant_id,
        BATCH,
        LEASE,
    )
    return [row["invoice_id"] for row in rows]


async def _claim_outdated(unit: Unit, version: int, limit: int) -> list[str]:
    """Cases of an earlier policy. Of a charge that is under way the outcome is awaited first."""
    rows = await unit.fetch(
        """
        with outdated as (
          select invoice_id
          from dunning_cases
          where tenant_id = $1
          and wake_at > now()
          and policy_version < $2
          and state not in ('attempting', 'unknown')
          and not exists (
            select
            from provider_connections as connection
            where connection.tenant_id = $1
            and connection.stopped
          )
          order by policy_version
          limit $3
          for update skip locked
        )
        update dunning_cases as held
        set wake_at = now() + $4::interval
        from outdated
        where held.tenant_id = $1
        and held.invoice_id = outdated.invoice_id
        returning held.invoice_id
        """,
        unit.tenant_id,
        version,
        limit,
        LEASE,
    )
    return [row["invoice_id"] for row in rows]
