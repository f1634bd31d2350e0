"""What must hold of the work beside the mirror: nothing waits for long, or is charged twice."""

from datetime import timedelta

from guichet.billing.books.breaches import MOST, breaches
from guichet.billing.books.differences import Difference
from guichet.billing.mirror import Kind
from guichet.db import Unit

#: A poisonous event is tried ever more rarely; before that it is no news.
EVENT_WAITS = timedelta(minutes=10)
#: A change is repeated for an hour and then looked up, with at most some minutes in between.
CHANGE_WAITS = timedelta(hours=2)
#: Applied events are looked back at for so long: a check a day sees each once.
_LOOK_BACK = timedelta(days=2)


async def object_missing(unit: Unit) -> list[Difference]:
    """What an event was about that was applied is here, or not at the provider either.

    By the beginning of its id: products and prices may have any, so their lists must do. Bodies are
    kept for longer than is looked back at; what has one still is in an index.
    """
    rows = await unit.fetch(
        """
        select
          event.object_id as id,
          jsonb_build_object('events', jsonb_agg(event.id))::text as held
        from provider_events as event
        where event.tenant_id = $1
        and event.handled_at > now() - $2::interval
        and event.body is not null
        and not case split_part(event.object_id, '_', 1)
          when 'cus' then exists (
            select from customers where tenant_id = $1 and id = event.object_id
          )
          when 'sub' then event.object_id like 'sub\\_sched\\_%' or exists (
            select from subscriptions where tenant_id = $1 and id = event.object_id
          )
          when 'in' then exists (
            select from invoices where tenant_id = $1 and id = event.object_id
          )
          when 'ch' then exists (
            select from payment_attempts where tenant_id = $1 and id = event.object_id
          )
          else true
        end
        group by event.object_id
        order by event.object_id
        limit $3
        """,
        unit.tenant_id,
        _LOOK_BACK,
        MOST,
    )
    kinds: dict[str, Kind] = {
        "cus": "customer",
        "sub": "subscription",
        "in": "invoice",
        "ch": "attempt",
    }
    return [
        difference
        for prefix, kind in kinds.items()
        for difference in breaches(
            "object_missing",
            kind,
            [row for row in rows if row["id"].startswith(f"{prefix}_")],
        )
    ]


async def event_waits(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          id,
          jsonb_build_object(
            'type', type,
            'object_id', object_id,
            'received_at', received_at,
            'tries', tries,
            'failure', failure
          )::text as held
        from provider_events
        where tenant_id = $1
        and handled_at is null
        and received_at < now() - $2::interval
        order by received_at
        limit $3
        """,
        unit.tenant_id,
        EVENT_WAITS,
        MOST,
    )
    return breaches("event_waits", "event", rows, "retry")


async def change_unsettled(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          id::text as id,
          jsonb_build_object(
            'subscription_id', subscription_id,
            'kind', kind,
            'started_at', started_at,
            'tries', tries,
            'failure', failure
          )::text as held
        from change_requests
        where tenant_id = $1
        and state in ('started', 'unknown')
        and started_at < now() - $2::interval
        order by started_at
        limit $3
        """,
        unit.tenant_id,
        CHANGE_WAITS,
        MOST,
    )
    return breaches("change_unsettled", "change_request", rows, "retry")


async def change_charged_twice(unit: Unit) -> list[Difference]:
    """Of the invoices that changes of a subscription made, one is paid for each change of ours.

    Looked for between a request's start and its end, where no other request was under way.
    """
    rows = await unit.fetch(
        """
        select
          request.id::text as id,
          jsonb_build_object(
            'subscription_id', request.subscription_id,
            'invoices', jsonb_agg(invoice.id order by invoice.created_at)
          )::text as held
        from change_requests as request
        join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.customer_id = request.customer_id
          and invoice.subscription_id = request.subscription_id
          and invoice.billing_reason = 'subscription_update'
          and invoice.amount_paid > 0
          and invoice.created_at between request.started_at - interval '1 second'
            and request.finished_at
        where request.tenant_id = $1
        and request.kind = 'change_plan'
        and request.finished_at > now() - $2::interval
        group by request.tenant_id, request.id
        having count(1) > 1
        order by request.id
        limit $3
        """,
        unit.tenant_id,
        _LOOK_BACK,
        MOST,
    )
    return breaches("change_charged_twice", "change_request", rows)
