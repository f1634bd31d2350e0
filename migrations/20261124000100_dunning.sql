-- migrate:up
set local lock_timeout = '5s';

-- What changed in the mirror that somebody follows: written with the change, read and deleted by the
-- workers. Rows are only added, so that writers of the mirror never wait for those who follow.
create table mirror_news (
  tenant_id uuid not null references tenants,
  id bigint not null generated always as identity,
  kind text not null check (kind in (
    'attempt', 'customer', 'invoice', 'payment_method', 'subscription', 'test_clock'
  )),
  object_id text not null,
  -- What of the object mattered before; null where there was none.
  was jsonb,
  noted_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create function note_news() returns trigger
language plpgsql
as $$
declare
  was jsonb;
begin
  -- One expression may not name columns that another table lacks.
  if tg_op = 'UPDATE' then
    if tg_argv[0] = 'invoice' then
      was := jsonb_build_object('status', old.status, 'attempt_count', old.attempt_count);
    elsif tg_argv[0] = 'subscription' then
      was := jsonb_build_object(
        'status', old.status, 'cancel_at_period_end', old.cancel_at_period_end, 'trial_end_at', old.trial_end_at
      );
    else
      was := '{}';
    end if;
  end if;
  insert into mirror_news (tenant_id, kind, object_id, was)
  values (new.tenant_id, tg_argv[0], new.id, was);
  return null;
end $$;

-- An import of many years brings what was over long ago: nobody follows that.
create trigger invoices_news_new after insert on invoices
for each row when (
  (new.status = 'open' and new.attempt_count > 0)
  or new.paid_at > now() - interval '1 day'
)
execute function note_news('invoice');

create trigger invoices_news after update on invoices
for each row when (
  (old.status, old.attempt_count, old.amount_remaining)
  is distinct from (new.status, new.attempt_count, new.amount_remaining)
  or old.next_payment_attempt_at is distinct from new.next_payment_attempt_at
)
execute function note_news('invoice');

create trigger payment_attempts_news_new after insert on payment_attempts
for each row when (new.status = 'failed' and new.created_at > now() - interval '60 days')
execute function note_news('attempt');

create trigger payment_attempts_news after update on payment_attempts
for each row when (old.status is distinct from new.status)
execute function note_news('attempt');

create trigger payment_methods_news_new after insert on payment_methods
for each row when (new.customer_id is not null and new.created_at > now() - interval '1 day')
execute function note_news('payment_method');

create trigger payment_methods_news after update on payment_methods
for each row when (
  (old.customer_id, old.exp_month, old.exp_year)
  is distinct from (new.customer_id, new.exp_month, new.exp_year)
)
execute function note_news('payment_method');

create trigger customers_news after update on customers
for each row when (
  (old.default_payment_method_id, old.fallback_payment_method_ids, old.deleted)
  is distinct from (new.default_payment_method_id, new.fallback_payment_method_ids, new.deleted)
)
execute function note_news('customer');

create trigger subscriptions_news_new after insert on subscriptions
for each row when (new.created_at > now() - interval '1 day')
execute function note_news('subscription');

create trigger subscriptions_news after update on subscriptions
for each row when (
  (old.status, old.cancel_at_period_end, old.trial_end_at, old.default_payment_method_id)
  is distinct from
  (new.status, new.cancel_at_period_end, new.trial_end_at, new.default_payment_method_id)
)
execute function note_news('subscription');

create trigger test_clocks_news after insert or update of frozen_at on test_clocks
for each row execute function note_news('test_clock');

-- One invoice whose payment failed, until it is paid or given up. Times are the customer's, which is
-- a test clock's where the customer lives by one; `wake_at` alone is always the wall's.
create table dunning_cases (
  tenant_id uuid not null references tenants,
  invoice_id text not null,
  customer_id text not null,
  subscription_id text,
  test_clock_id text,
  -- waiting: for its next attempt; asking: the customer has to act; provider: its own retries are at
  -- work; attempting: a charge is under way; unknown: nobody knows what became of one.
  state text not null check (state in (
    'waiting', 'asking', 'provider', 'attempting', 'unknown',
    'recovered', 'given_up', 'voided', 'paid_elsewhere'
  )),
  opened_at timestamptz not null,
  closed_at timestamptz,
  -- The next attempt, where one is planned; for pages and mails.
  next_attempt_at timestamptz,
  -- When something is due by the customer's time, be it an attempt, the end or a change of access.
  due_at timestamptz,
  -- When somebody looks at the case next; infinity: at the next news; null: it is closed.
  wake_at timestamptz default '-infinity',
  -- Looks in a row that told nothing: each waits longer for the next one.
  looks smallint not null default 0,
  -- The last decision with its reasons, as `guichet.billing.dunning.decisions.facts.Decision`.
  decision jsonb,
  -- The published version of the configuration that it was made with.
  policy_version integer,
  -- Whether the provider's own retries of this invoice are switched off.
  taken boolean not null default false,
  -- What the case does to its subscription: ok, grace, restricted or blocked.
  access text not null default 'grace' check (access in ('ok', 'grace', 'restricted', 'blocked')),
  primary key (tenant_id, invoice_id),
  check ((closed_at is null) = (state in ('waiting', 'asking', 'provider', 'attempting', 'unknown'))),
  check ((closed_at is null) = (wake_at is not null))
);

create index dunning_cases_wake on dunning_cases (tenant_id, wake_at) where wake_at is not null;
create index dunning_cases_policy on dunning_cases (tenant_id, policy_version) where wake_at is not null;
create index dunning_cases_customer on dunning_cases (tenant_id, customer_id, opened_at);
create index dunning_cases_subscription on dunning_cases (tenant_id, subscription_id);
create index dunning_cases_clock on dunning_cases (tenant_id, test_clock_id, due_at)
where test_clock_id is not null and wake_at is not null;

-- One charge that we or the customer asked for, written down before it was. What the provider tried
-- by itself is in payment_attempts alone. A customer may also pay what never failed: then there is no
-- case.
create table dunning_attempts (
  tenant_id uuid not null references tenants,
  invoice_id text not null,
  number smallint not null check (number > 0),
  -- Only a merchant's attempts count for the policy and the networks' caps.
  initiator text not null check (initiator in ('merchant', 'customer')),
  idempotency_key text not null,
  payment_method_id text,
  network text,
  fingerprint text,
  -- Why then and with that method, as Reason Structs.
  reasons jsonb not null default '[]',
  -- When it was planned for and when it was made, by the customer's time.
  planned_at timestamptz,
  started_at timestamptz not null,
  -- By the wall's: the provider forgets the key after a day.
  sent_at timestamptz not null default now(),
  state text not null check (state in (
    'started', 'unknown', 'succeeded', 'declined', 'needs_authentication', 'refused', 'not_made'
  )),
  decline_class text check (decline_class in ('never', 'new_card', 'authenticate', 'later', 'now')),
  decline_code text,
  advice_code text,
  network_decline_code text,
  network_advice_code text,
  charge_id text,
  payment_intent_id text,
  -- The provider's id of the request that was answered.
  request_id text,
  finished_at timestamptz,
  primary key (tenant_id, invoice_id, number),
  unique (tenant_id, idempotency_key)
);

create index dunning_attempts_card on dunning_attempts (tenant_id, fingerprint, started_at);
create index dunning_attempts_charge on dunning_attempts (tenant_id, charge_id);
create unique index dunning_attempts_under_way on dunning_attempts (tenant_id, invoice_id, initiator)
where state in ('started', 'unknown');

-- The worst of what a subscription's cases make of it. Not the provider's: the mirror leaves it.
alter table subscriptions
  add column access text not null default 'ok' check (access in ('ok', 'grace', 'restricted', 'blocked'));

alter table mirror_news enable row level security;
alter table mirror_news force row level security;
alter table dunning_cases enable row level security;
alter table dunning_cases force row level security;
alter table dunning_attempts enable row level security;
alter table dunning_attempts force row level security;

create policy tenant on mirror_news to guichet_app using (tenant_id = current_tenant());
create policy tenant on dunning_cases to guichet_app using (tenant_id = current_tenant());
create policy tenant on dunning_attempts to guichet_app using (tenant_id = current_tenant());

-- Which tenants have work waiting, how much and since when; nothing of whose.
create policy system on mirror_news for select to guichet_system using (true);
create policy system on dunning_cases for select to guichet_system using (true);
grant select (tenant_id, id, noted_at) on mirror_news to guichet_system;
grant select (tenant_id, wake_at, policy_version, state) on dunning_cases to guichet_system;

grant select, insert, delete on mirror_news to guichet_app;
grant select, insert, update on dunning_cases to guichet_app;
grant select, insert, update on dunning_attempts to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
