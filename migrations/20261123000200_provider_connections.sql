-- migrate:up
set local lock_timeout = '5s';

-- Whether a tenant's payment provider lets us in. A row appears when the key is set, or when it is
-- turned away for the first time.
create table provider_connections (
  tenant_id uuid not null references tenants,
  -- When the key was set that this row speaks of; null where none was set since this table is here.
  -- Who is turned away with a key that was replaced meanwhile has nothing to say about the new one.
  key_set_at timestamptz,
  -- Null while the provider lets us in.
  rejected_at timestamptz,
  -- key_missing: there is none; key_sealed: it does not open; key_revoked: the provider does not
  -- know it any more; may_not_mirror, may_not_act: it lacks a permission to read what the mirror is
  -- made of, or to do something else.
  reason text check (reason in ('key_missing', 'key_sealed', 'key_revoked', 'may_not_mirror', 'may_not_act')),
  -- What the key may not do, such as `GET invoices`; null where it may do nothing.
  refused text,
  checked_at timestamptz not null default now(),
  -- Work in the background waits, since all of it begins with reading.
  stopped boolean not null generated always as (rejected_at is not null and reason <> 'may_not_act') stored,
  primary key (tenant_id),
  check ((rejected_at is null) = (reason is null))
);

create index provider_connections_rejected on provider_connections (tenant_id, checked_at)
where rejected_at is not null;

-- A key that is set is believed until the provider says no, from the same commit on.
create function renew_connection() returns trigger
language plpgsql
as $$
begin
  insert into provider_connections as held (tenant_id, key_set_at)
  values (coalesce(new.tenant_id, old.tenant_id), clock_timestamp())
  on conflict (tenant_id) do update
  set
    key_set_at = excluded.key_set_at,
    rejected_at = null,
    reason = null,
    refused = null,
    checked_at = now()
  where held.tenant_id = excluded.tenant_id;
  return null;
end $$;

create trigger secrets_connection_set after insert or update of sealed on secrets
for each row when (new.name = 'stripe_secret_key') execute function renew_connection();

create trigger secrets_connection_removed after delete on secrets
for each row when (old.name = 'stripe_secret_key') execute function renew_connection();

alter table provider_connections enable row level security;
alter table provider_connections force row level security;

create policy tenant on provider_connections to guichet_app using (tenant_id = current_tenant());
create policy system on provider_connections for select to guichet_system using (true);

grant select, insert, update on provider_connections to guichet_app;
-- Which tenants are turned away, since when and why.
grant select (tenant_id, rejected_at, reason, refused, checked_at, stopped) on provider_connections to guichet_system;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
