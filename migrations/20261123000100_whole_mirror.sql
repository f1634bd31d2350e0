-- migrate:up
set local lock_timeout = '5s';

-- The mirror holds all that a copy does. What is added has a default or may be null, so that code
-- which does not know it goes on writing; an import fills in what was mirrored before.
alter table customers
  add column phone text,
  add column address jsonb,
  add column shipping jsonb,
  add column tax_ids jsonb not null default '[]',
  add column tax_exempt text not null default 'none'
    check (tax_exempt in ('none', 'exempt', 'reverse')),
  add column preferred_locales text[] not null default '{}',
  -- In the minor unit of the customer's currency: credit where negative.
  add column balance bigint not null default 0,
  add column fallback_payment_method_ids text[] not null default '{}';

alter table payment_methods
  add column country text,
  add column funding text check (funding in ('credit', 'debit', 'prepaid', 'unknown')),
  -- The same for the same card number within one account of the provider.
  add column fingerprint text;

alter table products
  add column unit_label text,
  add column default_price_id text;

alter table prices
  -- However fine; null where the price is tiered.
  add column unit_amount_exact numeric,
  -- Null for a price that is charged once.
  add column usage text check (usage in ('licensed', 'metered')),
  add column tiers_mode text check (tiers_mode in ('graduated', 'volume')),
  add column tiers jsonb not null default '[]',
  add column package_size integer,
  add column package_round text check (package_round in ('up', 'down')),
  add column currency_options jsonb not null default '[]',
  add column nickname text,
  add column lookup_key text;

alter table subscriptions
  add column collection_method text not null default 'charge_automatically'
    check (collection_method in ('charge_automatically', 'send_invoice')),
  add column cancellation_feedback text,
  add column cancellation_comment text,
  add column latest_invoice_id text,
  add column schedule_is_ours boolean not null default false,
  add column pending_update jsonb,
  add column pause jsonb,
  add column discounts jsonb not null default '[]';

alter table invoices
  add column billing_reason text,
  add column collection_method text not null default 'charge_automatically'
    check (collection_method in ('charge_automatically', 'send_invoice')),
  add column subtotal bigint not null default 0,
  add column amount_due bigint not null default 0,
  -- Of a row that no import has filled in yet, plainly wrong.
  add column period_start_at timestamptz not null default 'epoch',
  add column period_end_at timestamptz not null default 'epoch',
  add column finalized_at timestamptz,
  add column paid_at timestamptz,
  add column voided_at timestamptz;

-- What is part of an object is written under the lock of its row, in the same transaction, and the
-- rows of objects are never removed. To have each part checked against its object took ten times as
-- long as to write it.
alter table subscription_items
  drop constraint subscription_items_tenant_id_subscription_id_fkey;

create table invoice_lines (
  tenant_id uuid not null,
  invoice_id text not null,
  id text not null,
  position integer not null,
  description text,
  amount bigint not null,
  quantity bigint,
  price_id text,
  subscription_item_id text,
  period_start_at timestamptz not null,
  period_end_at timestamptz not null,
  proration boolean not null,
  primary key (tenant_id, invoice_id, id)
);

create table invoice_payments (
  tenant_id uuid not null,
  invoice_id text not null,
  id text not null,
  position integer not null,
  -- Null where it was paid in another way.
  payment_intent_id text,
  status text not null check (status in ('open', 'paid', 'canceled')),
  amount_requested bigint not null,
  amount_paid bigint,
  is_default boolean not null,
  paid_at timestamptz,
  primary key (tenant_id, invoice_id, id)
);

-- From an attempt to the invoice it was made for.
create index invoice_payments_intent on invoice_payments (tenant_id, payment_intent_id);

-- Attempts to take money: the provider's charges.
create table payment_attempts (
  tenant_id uuid not null references tenants,
  id text not null,
  customer_id text,
  payment_intent_id text,
  payment_method_id text,
  status text not null check (status in ('succeeded', 'pending', 'failed')),
  currency text not null,
  amount bigint not null,
  amount_refunded bigint not null,
  failure_code text,
  decline_code text,
  advice_code text,
  network_decline_code text,
  network_advice_code text,
  network text,
  fingerprint text,
  created_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

create index payment_attempts_intent on payment_attempts (tenant_id, payment_intent_id, created_at);
-- Card networks cap the attempts at one card within a time.
create index payment_attempts_card on payment_attempts (tenant_id, fingerprint, created_at);

-- The last import of each tenant's whole account, and while finished_at is null how far it is.
create table imports (
  tenant_id uuid not null references tenants,
  -- What all of its copies are numbered with.
  copy_no bigint not null,
  -- What a copy held when it began; code that copies more imports anew.
  edition smallint not null,
  started_at timestamptz not null default now(),
  step text not null check (step in (
    'products', 'prices', 'customers', 'subscriptions', 'invoices', 'attempts', 'unlisted'
  )),
  -- The last object of the step's list that is written; null at its beginning.
  after text,
  -- Objects read so far, by kind.
  counts jsonb not null default '{}',
  -- Who is at work, and until when nobody else takes over.
  holder uuid,
  held_until timestamptz,
  finished_at timestamptz,
  primary key (tenant_id)
);

-- The body of an event is dropped some time after it was handled; the row stays as the proof.
alter table provider_events alter column body drop not null;

create index provider_events_bodies on provider_events (tenant_id, handled_at)
where handled_at is not null and body is not null;

alter table invoice_lines enable row level security;
alter table invoice_lines force row level security;
alter table invoice_payments enable row level security;
alter table invoice_payments force row level security;
alter table payment_attempts enable row level security;
alter table payment_attempts force row level security;
alter table imports enable row level security;
alter table imports force row level security;

create policy tenant on invoice_lines to guichet_app using (tenant_id = current_tenant());
create policy tenant on invoice_payments to guichet_app using (tenant_id = current_tenant());
create policy tenant on payment_attempts to guichet_app using (tenant_id = current_tenant());
create policy tenant on imports to guichet_app using (tenant_id = current_tenant());

-- How far behind each tenant is may be seen across tenants; nothing of what was read.
create policy system on reconciliations for select to guichet_system using (true);
grant select (tenant_id, read_until) on reconciliations to guichet_system;

grant select, insert, update, delete on invoice_lines to guichet_app;
grant select, insert, update, delete on invoice_payments to guichet_app;
grant select, insert, update on payment_attempts to guichet_app;
grant select, insert, update on imports to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
