-- migrate:up
set local lock_timeout = '5s';

-- The mirror of what the provider holds, for pages to read. A row is one copy of an object:
-- copy_no is drawn from mirror_copies before a copy is fetched (after an answer to our own call),
-- and a copy never overwrites one with a higher number. No foreign keys between mirrored objects:
-- copies arrive in any order.
create sequence mirror_copies;

create table customers (
  tenant_id uuid not null references tenants,
  id text not null,
  email text,
  name text,
  currency text,
  default_payment_method_id text,
  deleted boolean not null default false,
  created_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create index customers_email on customers (tenant_id, lower(email)) where not deleted;

create table payment_methods (
  tenant_id uuid not null references tenants,
  id text not null,
  -- Null once it is detached.
  customer_id text,
  type text not null,
  brand text,
  last4 text,
  exp_month smallint,
  exp_year smallint,
  created_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create index payment_methods_customer on payment_methods (tenant_id, customer_id, created_at);

create table products (
  tenant_id uuid not null references tenants,
  id text not null,
  name text not null,
  description text,
  active boolean not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create table prices (
  tenant_id uuid not null references tenants,
  id text not null,
  product_id text not null,
  currency text not null,
  -- In the currency's minor unit; null where the price is tiered or finer than that unit.
  unit_amount bigint,
  -- Null for a price that is charged once.
  interval text check (interval in ('day', 'week', 'month', 'year')),
  interval_count integer,
  active boolean not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create table subscriptions (
  tenant_id uuid not null references tenants,
  id text not null,
  customer_id text not null,
  status text not null check (status in (
    'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'
  )),
  currency text not null,
  default_payment_method_id text,
  cancel_at_period_end boolean not null,
  cancel_at timestamptz,
  canceled_at timestamptz,
  ended_at timestamptz,
  trial_end_at timestamptz,
  current_period_start_at timestamptz,
  current_period_end_at timestamptz,
  schedule_id text,
  -- The change that a schedule makes at pending_at: the first item's price and quantity then.
  pending_price_id text,
  pending_quantity integer,
  pending_at timestamptz,
  created_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create index subscriptions_customer on subscriptions (tenant_id, customer_id, created_at);

create table subscription_items (
  tenant_id uuid not null,
  subscription_id text not null,
  id text not null,
  position smallint not null,
  price_id text not null,
  quantity integer,
  primary key (tenant_id, subscription_id, id),
  foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id) on delete cascade
);

create table invoices (
  tenant_id uuid not null references tenants,
  id text not null,
  customer_id text not null,
  subscription_id text,
  number text,
  status text not null check (status in ('draft', 'open', 'paid', 'uncollectible', 'void')),
  currency text not null,
  total bigint not null,
  amount_paid bigint not null,
  amount_remaining bigint not null,
  attempt_count integer not null,
  next_payment_attempt_at timestamptz,
  due_at timestamptz,
  created_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

-- Lists are paged by this key, newest first.
create index invoices_customer on invoices (tenant_id, customer_id, created_at desc, id desc);

-- What the provider sent, and, while handled_at is null, the job that applies it. The row is kept
-- as the proof of what arrived. No foreign key: the web process knows the tenant, and intake is hot.
create table provider_events (
  tenant_id uuid not null,
  id text not null,
  type text not null,
  -- The object that the event is about, such as sub_…; null where it has no id.
  object_id text,
  created_at timestamptz not null,
  received_at timestamptz not null default now(),
  body bytea not null,
  handled_at timestamptz,
  -- A worker's lease: until then nobody else takes the row.
  claimed_until timestamptz,
  tries smallint not null default 0,
  failure text,
  primary key (tenant_id, id)
);

create index provider_events_waiting on provider_events (tenant_id, received_at) where handled_at is null;

-- How far reconciliation has read the provider's own list of events.
create table reconciliations (
  tenant_id uuid not null references tenants,
  -- The created time, in the provider's seconds, up to which every event is known to be stored.
  read_until timestamptz not null,
  checked_at timestamptz not null,
  failure text,
  primary key (tenant_id)
);

alter table customers enable row level security;
alter table customers force row level security;
alter table payment_methods enable row level security;
alter table payment_methods force row level security;
alter table products enable row level security;
alter table products force row level security;
alter table prices enable row level security;
alter table prices force row level security;
alter table subscriptions enable row level security;
alter table subscriptions force row level security;
alter table subscription_items enable row level security;
alter table subscription_items force row level security;
alter table invoices enable row level security;
alter table invoices force row level security;
alter table provider_events enable row level security;
alter table provider_events force row level security;
alter table reconciliations enable row level security;
alter table reconciliations force row level security;

create policy tenant on customers to guichet_app using (tenant_id = current_tenant());
create policy tenant on payment_methods to guichet_app using (tenant_id = current_tenant());
create policy tenant on products to guichet_app using (tenant_id = current_tenant());
create policy tenant on prices to guichet_app using (tenant_id = current_tenant());
create policy tenant on subscriptions to guichet_app using (tenant_id = current_tenant());
create policy tenant on subscription_items to guichet_app using (tenant_id = current_tenant());
create policy tenant on invoices to guichet_app using (tenant_id = current_tenant());
create policy tenant on provider_events to guichet_app using (tenant_id = current_tenant());
create policy tenant on reconciliations to guichet_app using (tenant_id = current_tenant());

-- Which tenants have events waiting is all that is seen across tenants: neither body nor type.
create policy system on provider_events for select to guichet_system using (true);
grant select (tenant_id, received_at, handled_at, claimed_until) on provider_events to guichet_system;

grant usage on sequence mirror_copies to guichet_app;
grant select, insert, update on customers to guichet_app;
grant select, insert, update on payment_methods to guichet_app;
grant select, insert, update on products to guichet_app;
grant select, insert, update on prices to guichet_app;
grant select, insert, update on subscriptions to guichet_app;
grant select, insert, update, delete on subscription_items to guichet_app;
grant select, insert, update on invoices to guichet_app;
grant select, insert, update on provider_events to guichet_app;
grant select, insert, update on reconciliations to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
