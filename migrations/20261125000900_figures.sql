-- migrate:up
set local lock_timeout = '5s';

-- Figures name the agency that may read them; they follow a merchant that changes agencies.
create unique index tenants_agency_id on tenants (id, agency_id);

-- An agency's list of its merchants, by name and by slug.
create index tenants_agency_name on tenants (agency_id, name, slug);
create index tenants_agency_slug on tenants (agency_id, slug);

-- What workers last counted of each merchant. The row is the job too: it is counted again when due.
create table tenant_figures (
  tenant_id uuid not null,
  agency_id uuid not null,
  due_at timestamptz not null default now(),
  -- When whoever counts at present, or did last, began; names them while they count.
  begun_at timestamptz,
  -- How long news have to wait for the next count after that.
  rest interval not null default '1 minute',
  history_due_at timestamptz not null default '-infinity',
  computed_at timestamptz,
  customers integer not null default 0,
  active integer not null default 0,
  trialing integer not null default 0,
  past_due integer not null default 0,
  -- Of the last 30 days.
  started integer not null default 0,
  ended integer not null default 0,
  failed integer not null default 0,
  recovered integer not null default 0,
  -- Monthly recurring revenue in minor units, by currency.
  mrr jsonb not null default '{}',
  health jsonb not null default '{}',
  -- The last twelve months that are over, the oldest first, and the one that is not.
  past_months jsonb not null default '[]',
  present_month jsonb not null default '{}',
  primary key (tenant_id),
  foreign key (tenant_id, agency_id) references tenants (id, agency_id) on update cascade
);

create index tenant_figures_due on tenant_figures (due_at);

-- Payments that failed since a time.
create index payment_attempts_failed on payment_attempts (tenant_id, created_at)
where status = 'failed';

alter table tenant_figures enable row level security;
alter table tenant_figures force row level security;

create policy tenant on tenant_figures to guichet_app using (tenant_id = current_tenant());
create policy agency on tenant_figures to guichet_agency using (agency_id = current_agency());
create policy system on tenant_figures to guichet_system using (true) with check (true);

grant select, insert, update on tenant_figures to guichet_app;
grant select (
  tenant_id, agency_id, computed_at, customers, active, trialing, past_due, started, ended, failed,
  recovered, mrr, health
) on tenant_figures to guichet_agency;
-- Whose figures are due, and none of them.
grant select (tenant_id, due_at) on tenant_figures to guichet_system;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
