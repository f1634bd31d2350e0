-- migrate:up
set local lock_timeout = '5s';

-- What a customer chose here, which the provider does not know.
create table preferences (
  tenant_id uuid not null references tenants,
  customer_id text not null,
  locale text,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, customer_id)
);

-- The subject of a merchant's identity provider, linked once to a customer.
create table identities (
  tenant_id uuid not null references tenants,
  provider text not null,
  subject text not null,
  customer_id text not null,
  email text,
  linked_at timestamptz not null default now(),
  primary key (tenant_id, provider, subject)
);

-- A sign-in under way, bound to one browser, used once.
create table sign_in_attempts (
  tenant_id uuid not null references tenants,
  state_hash bytea not null,
  browser_hash bytea not null,
  provider text not null,
  nonce text not null,
  code_verifier text not null,
  next_path text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant_id, state_hash)
);

create table sessions (
  tenant_id uuid not null references tenants,
  id uuid not null default gen_random_uuid(),
  -- SHA-256 of the cookie's value, which is kept nowhere.
  token_hash bytea not null,
  customer_id text not null,
  provider text not null,
  device text not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, id)
);

create unique index sessions_token on sessions (tenant_id, token_hash);
create index sessions_customer on sessions (tenant_id, customer_id);

-- One change that a customer asked for. The row is written before the provider is called and its
-- id is the provider's idempotency key, so whoever finds it unfinished may safely repeat the call.
create table change_requests (
  tenant_id uuid not null references tenants,
  id uuid not null,
  customer_id text not null,
  subscription_id text not null,
  kind text not null check (kind in ('change_plan', 'cancel', 'keep', 'undo_change')),
  -- What to ask of the provider, whole: a repeat needs nothing else.
  request jsonb not null,
  -- started: the provider is being called; unknown: its answer was lost; done: it is made;
  -- refused: the provider said no and nothing changed.
  state text not null check (state in ('started', 'unknown', 'done', 'refused')),
  -- Why it was refused, as one of our error codes.
  failure text,
  tries smallint not null default 1,
  started_at timestamptz not null default now(),
  -- Until then whoever started or repeats it is at work, and nobody else takes it.
  claimed_until timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id)
);

-- One change at a time for a subscription, whoever asks from however many tabs.
create unique index change_requests_unfinished on change_requests (tenant_id, subscription_id)
where state in ('started', 'unknown');

create index change_requests_subscription on change_requests (tenant_id, subscription_id, started_at desc);

-- Who did what, when and why. Rows are only ever added.
create table audit_log (
  tenant_id uuid not null references tenants,
  id uuid not null default gen_random_uuid(),
  at timestamptz not null default now(),
  -- customer, staff, system or provider, and who exactly.
  actor_kind text not null check (actor_kind in ('customer', 'staff', 'system', 'provider')),
  actor text not null,
  action text not null,
  -- What it was done to, such as sub_…
  object text not null,
  details jsonb not null default '{}',
  request_id text,
  primary key (tenant_id, id)
);

create index audit_log_at on audit_log (tenant_id, at desc);
create index audit_log_object on audit_log (tenant_id, object, at desc);

alter table preferences enable row level security;
alter table preferences force row level security;
alter table identities enable row level security;
alter table identities force row level security;
alter table sign_in_attempts enable row level security;
alter table sign_in_attempts force row level security;
alter table sessions enable row level security;
alter table sessions force row level security;
alter table change_requests enable row level security;
alter table change_requests force row level security;
alter table audit_log enable row level security;
alter table audit_log force row level security;

create policy tenant on preferences to guichet_app using (tenant_id = current_tenant());
create policy tenant on identities to guichet_app using (tenant_id = current_tenant());
create policy tenant on sign_in_attempts to guichet_app using (tenant_id = current_tenant());
create policy tenant on sessions to guichet_app using (tenant_id = current_tenant());
create policy tenant on change_requests to guichet_app using (tenant_id = current_tenant());
create policy tenant on audit_log to guichet_app using (tenant_id = current_tenant());

-- Which tenants have unfinished changes, and nothing of what they are.
create policy system on change_requests for select to guichet_system using (true);
grant select (tenant_id, state, claimed_until) on change_requests to guichet_system;

grant select, insert, update, delete on preferences to guichet_app;
grant select, insert, update, delete on identities to guichet_app;
grant select, insert, delete on sign_in_attempts to guichet_app;
grant select, insert, update, delete on sessions to guichet_app;
grant select, insert, update on change_requests to guichet_app;
grant select, insert on audit_log to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
