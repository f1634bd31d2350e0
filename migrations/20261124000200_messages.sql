-- migrate:up
set local lock_timeout = '5s';

-- One mail to one customer, queued with what it tells of, and what became of it.
create table messages (
  tenant_id uuid not null references tenants,
  -- Also in its Message-ID and in the links that it carries.
  id uuid not null default gen_random_uuid(),
  kind text not null check (kind in (
    'payment_failed', 'action_needed', 'card_expiring', 'recovered', 'given_up', 'renewal_coming',
    'trial_ending', 'receipt', 'plan_changed', 'cancelled'
  )),
  customer_id text not null,
  -- The address at the time of queueing; null where the customer had none.
  recipient text,
  -- What happened, such as `payment_failed:in_1:3`: the same thing is told once.
  key text not null,
  -- What its text needs: ids, amounts, dates, plan names.
  facts jsonb not null default '{}',
  -- When it happened, by the customer's time.
  at timestamptz not null,
  -- sending: the server was about to be given the body, and nothing more is known.
  state text not null check (state in ('queued', 'sending', 'sent', 'failed', 'suppressed')),
  -- Why it was suppressed, or why it failed (the last time).
  reason text,
  tries smallint not null default 0,
  queued_at timestamptz not null default now(),
  -- When a worker takes it up next, while it is queued or being sent.
  due_at timestamptz default now(),
  sent_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  check ((due_at is not null) = (state in ('queued', 'sending')))
);

create index messages_due on messages (tenant_id, due_at) where due_at is not null;
create index messages_customer on messages (tenant_id, customer_id, kind, at);
create index messages_queued on messages (tenant_id, queued_at);

-- Which mails a customer wants: what has no row is wanted. Required kinds are sent all the same.
create table mail_preferences (
  tenant_id uuid not null references tenants,
  customer_id text not null,
  kind text not null,
  wanted boolean not null,
  changed_at timestamptz not null default now(),
  -- How: portal, one_click.
  source text not null,
  primary key (tenant_id, customer_id, kind)
);

alter table messages enable row level security;
alter table messages force row level security;
alter table mail_preferences enable row level security;
alter table mail_preferences force row level security;

create policy tenant on messages to guichet_app using (tenant_id = current_tenant());
create policy tenant on mail_preferences to guichet_app using (tenant_id = current_tenant());

-- Which tenants have mails waiting, how many and since when; nothing of whose.
create policy system on messages for select to guichet_system using (true);
grant select (tenant_id, due_at, state, kind) on messages to guichet_system;

grant select, insert, update on messages to guichet_app;
grant select, insert, update, delete on mail_preferences to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
