-- migrate:up
set local lock_timeout = '5s';

-- When a worker last looked what became of a customer's payment that nobody has come back for.
alter table dunning_attempts add column looked_at timestamptz;

-- Of all payments, those of customers that have no end yet: a few at any time.
create index dunning_attempts_unfinished on dunning_attempts (tenant_id, sent_at)
where initiator = 'customer' and finished_at is null;

-- Which tenants have some; nothing of whose.
create policy system on dunning_attempts for select to guichet_system using (true);
grant select (tenant_id, initiator, state, sent_at, finished_at, looked_at)
on dunning_attempts to guichet_system;

-- The provider's pages that were opened for a card: what is left at one of them is for its customer
-- and its purpose alone, whatever address it comes back to.
create table card_pages (
  tenant_id uuid not null references tenants,
  -- The provider's.
  id text not null,
  customer_id text not null,
  -- What is paid with the card; null where it is only added.
  invoice_id text,
  -- The method that was left there, once it is taken over: that happens once.
  payment_method_id text,
  opened_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create index card_pages_opened on card_pages (tenant_id, opened_at);

alter table card_pages enable row level security;
alter table card_pages force row level security;
create policy tenant on card_pages to guichet_app using (tenant_id = current_tenant());
grant select, insert, update, delete on card_pages to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
