-- migrate:up
set local lock_timeout = '5s';

-- A process reads the changes above the highest number it knows. Numbers become visible in the
-- order of commits, so it also reads what the transactions changed that ran when it last looked:
-- changed_in says which one it was. That is complete only because nobody draws a number before
-- the transaction has its id.
create function next_directory_change() returns bigint
language plpgsql
as $$
begin
  perform pg_current_xact_id();
  return nextval('directory_changes');
end $$;

alter table tenants
  alter column change_no set default next_directory_change(),
  add column changed_in xid8 not null default pg_current_xact_id();

create or replace function tenant_changes() returns trigger
language plpgsql
as $$
begin
  new.change_no := next_directory_change();
  new.changed_in := pg_current_xact_id();
  new.changed_at := now();
  return new;
end $$;

create index tenants_change on tenants (change_no);
create index tenants_changed_in on tenants (changed_in);

-- Rotation wraps a secret's key anew; the secret itself stays what every process remembers.
drop trigger secrets_touch on secrets;

create trigger secrets_touch after insert or delete or update of sealed on secrets
for each row execute function touch_tenant();

-- Who did what to an agency itself. Rows are only ever added.
create table agency_audit_log (
  agency_id uuid not null references agencies,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('staff', 'system')),
  actor text not null,
  action text not null,
  object text not null,
  details jsonb not null default '{}',
  request_id text,
  primary key (agency_id, id)
);

create index agency_audit_log_at on agency_audit_log (agency_id, at desc);

alter table agency_audit_log enable row level security;
alter table agency_audit_log force row level security;

create policy system on agency_audit_log to guichet_system using (true) with check (true);

-- What is done to a tenant in the directory is told in the tenant's own log, which the system
-- cannot read.
create policy system on audit_log for insert to guichet_system with check (true);

grant select, insert on agency_audit_log to guichet_system;
grant insert on audit_log to guichet_system;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
