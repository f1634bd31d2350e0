"""The access of subscriptions: the worst of what their cases make of it."""

from collections.abc import Collection

from guichet.db import Unit


async def write_access(unit: Unit, subscription_ids: Collection[str]) -> None:
    """Bring the access of subscriptions in line with their cases, where it differs.

    A case counts while it is open, and one that was given up as long as its invoice is owed.
    """
    if not subscription_ids:
        return
    # Of two units that change cases of one subscription, the second one sees what the first wrote.
    await unit.execute(
        """
        select
        from subscriptions
        where tenant_id = $1
        and id = any($2::text[])
        order by id collate "C"
        for no key update
        """,
        unit.tenant_id,
        sorted(subscription_ids),
    )
    await unit.execute(
        """
        with worst as (
          select
            wanted.id,
            coalesce(
              max(array_position(array['ok', 'grace', 'restricted', 'blocked'], told.access)),
              1
            ) as place
          from unnest($2::text[]) as wanted (id)
          left join dunning_cases as told
            on told.tenant_id = $1
            and told.subscription_id = wanted.id
            and (
              told.wake_at is not null
              or told.state = 'given_up' and exists (
                select
                from invoices as invoice
                where invoice.tenant_id = $1
                and invoice.id = told.invoice_id
                and invoice.status in ('open', 'uncollectible')
              )
            )
          group by wanted.id
        )
        update subscriptions as held
        set access = (array['ok', 'grace', 'restricted', 'blocked'])[worst.place]
        from worst
        where held.tenant_id = $1
        and held.id = worst.id
        and held.access <> (array['ok', 'grace', 'restricted', 'blocked'])[worst.place]
        """,
        unit.tenant_id,
        sorted(subscription_ids),
    )
