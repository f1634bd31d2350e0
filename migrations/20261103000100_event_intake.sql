-- migrate:up
set local lock_timeout = '5s';

-- Stores provider events that arrived at the same time, of however many tenants, in one round trip
-- and one commit. Each tenant's rows are written in that tenant's scope: what row-level security
-- allows here is what it allows anywhere. The arrays run in parallel, one place for each event.
-- Rows are written in one order, so that two processes with the same events do not deadlock.
create function store_provider_events(
  event_tenants uuid[],
  event_ids text[],
  event_types text[],
  event_objects text[],
  event_times timestamptz[],
  event_bodies bytea[]
) returns void
language plpgsql
as $$
declare
  tenant uuid;
begin
  for tenant in
    select distinct given.tenant_id
    from unnest(event_tenants) as given (tenant_id)
    order by given.tenant_id
  loop
    perform set_config('guichet.tenant', tenant::text, true);

    insert into provider_events (tenant_id, id, type, object_id, created_at, body)
    select event.tenant_id, event.id, event.type, event.object_id, event.created_at, event.body
    from unnest(event_tenants, event_ids, event_types, event_objects, event_times, event_bodies)
      as event (tenant_id, id, type, object_id, created_at, body)
    where event.tenant_id = tenant
    order by event.id
    on conflict (tenant_id, id) do nothing;
  end loop;

  -- Whatever else the transaction does, it does in nobody's scope.
  perform set_config('guichet.tenant', '', true);
end $$;

revoke execute on function store_provider_events from public;
grant execute on function store_provider_events to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
