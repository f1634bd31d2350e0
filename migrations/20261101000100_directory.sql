-- migrate:up
set local lock_timeout = '5s';

-- The directory: who is here. Only guichet_system changes it; a tenant sees its own row.

create table agencies (
  id uuid primary key default gen_random_uuid(),
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null default now()
);

-- Each change of the directory takes the next number, so that a process which missed a
-- notification finds what it missed.
create sequence directory_changes;

create table tenants (
  id uuid primary key default gen_random_uuid(),
  agency_id uuid not null references agencies,
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  name text not null check (length(name) between 1 and 200),
  status text not null default 'active' check (status in ('active', 'suspended')),
  published_version integer,
  change_no bigint not null default nextval('directory_changes'),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

-- Custom domains. The slug's host needs no row: it follows from the base domain.
create table hosts (
  tenant_id uuid not null references tenants,
  host text not null check (host = lower(host) and length(host) <= 253),
  verified_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, host)
);

-- The one unique index without tenant_id: a host names one tenant. Only guichet_system writes
-- here, so no tenant can use it to ask whether another has a host.
create unique index hosts_host on hosts (host);

-- What a merchant publishes is one document, and every version of it is kept.
create table configurations (
  tenant_id uuid not null references tenants,
  version integer not null check (version > 0),
  document jsonb not null,
  published_at timestamptz not null default now(),
  published_by text not null,
  reason text not null default '',
  primary key (tenant_id, version)
);

-- Pictures of a merchant's branding, named by the hash of their bytes.
create table assets (
  tenant_id uuid not null references tenants,
  id text not null check (id ~ '^[0-9a-f]{64}$'),
  media_type text not null check (media_type in ('image/svg+xml', 'image/png', 'image/jpeg', 'image/webp')),
  body bytea not null check (octet_length(body) <= 524288),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- Sealed with a data key of its own, which is sealed with the master key named here.
create table secrets (
  tenant_id uuid not null references tenants,
  name text not null check (length(name) between 1 and 100),
  sealed bytea not null,
  wrapped_key bytea not null,
  master_key_id text not null,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (tenant_id, name)
);

create function tenant_changes() returns trigger
language plpgsql
as $$
begin
  new.change_no := nextval('directory_changes');
  new.changed_at := now();
  return new;
end $$;

create trigger tenants_change before update on tenants
for each row execute function tenant_changes();

create function announce_tenant() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('guichet_tenants', new.id::text);
  return null;
end $$;

create trigger tenants_announce after insert or update on tenants
for each row execute function announce_tenant();

-- Hosts and secrets are part of what a process remembers of a tenant.
create function touch_tenant() returns trigger
language plpgsql
as $$
begin
  update tenants
  set changed_at = now()
  where id = coalesce(new.tenant_id, old.tenant_id);
  return null;
end $$;

create trigger hosts_touch after insert or update or delete on hosts
for each row execute function touch_tenant();

create trigger secrets_touch after insert or update or delete on secrets
for each row execute function touch_tenant();

alter table agencies enable row level security;
alter table agencies force row level security;
alter table tenants enable row level security;
alter table tenants force row level security;
alter table hosts enable row level security;
alter table hosts force row level security;
alter table configurations enable row level security;
alter table configurations force row level security;
alter table assets enable row level security;
alter table assets force row level security;
alter table secrets enable row level security;
alter table secrets force row level security;

create policy system on agencies to guichet_system using (true) with check (true);
create policy system on tenants to guichet_system using (true) with check (true);
create policy system on hosts to guichet_system using (true) with check (true);

create policy tenant on tenants to guichet_app using (id = current_tenant());
create policy tenant on hosts to guichet_app using (tenant_id = current_tenant());
create policy tenant on configurations to guichet_app using (tenant_id = current_tenant());
create policy tenant on assets to guichet_app using (tenant_id = current_tenant());
create policy tenant on secrets to guichet_app using (tenant_id = current_tenant());

grant usage on schema public to guichet_app, guichet_system;
grant usage on sequence directory_changes to guichet_app, guichet_system;
grant select, insert, update on agencies to guichet_system;
grant select, insert, update on tenants to guichet_system;
grant select, insert, update, delete on hosts to guichet_system;
grant select on tenants, hosts to guichet_app;
grant update (published_version, changed_at) on tenants to guichet_app;
grant select, insert on configurations to guichet_app;
grant select, insert, delete on assets to guichet_app;
grant select, insert, update, delete on secrets to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
