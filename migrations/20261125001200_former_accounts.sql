-- migrate:up
set local lock_timeout = '5s';

-- When a worker looks at a tenant's webhook endpoint next: to make one that was begun and not
-- finished, or to see once more that it is the only one. Null while nothing is left to do.
alter table provider_endpoints add column due_at timestamptz;

update provider_endpoints
set due_at = now()
where order_key is not null;

create index provider_endpoints_due on provider_endpoints (due_at, tenant_id)
where due_at is not null;

-- Accounts that a tenant had before its present one, until what delivers from there is removed. The
-- key is in the vault meanwhile.
create table former_accounts (
  tenant_id uuid not null references tenants,
  account_id text not null,
  mode text not null check (mode in ('test', 'live')),
  account_name text,
  -- The endpoint as it was known when the account was left.
  endpoint_id text,
  url text,
  left_at timestamptz not null default now(),
  -- When a worker tries next; null once it has given up, and the key is gone.
  due_at timestamptz default now(),
  primary key (tenant_id, account_id, mode)
);

create index former_accounts_due on former_accounts (due_at, tenant_id)
where due_at is not null;

alter table former_accounts enable row level security;
alter table former_accounts force row level security;

create policy tenant on former_accounts to guichet_app using (tenant_id = current_tenant());
create policy system on former_accounts for select to guichet_system using (true);
create policy system on provider_endpoints for select to guichet_system using (true);

grant select, insert, update, delete on former_accounts to guichet_app;
-- Which tenants have something to do, and since when.
grant select (tenant_id, due_at) on former_accounts to guichet_system;
grant select (tenant_id, due_at) on provider_endpoints to guichet_system;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
