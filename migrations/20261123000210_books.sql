-- migrate:up
set local lock_timeout = '5s';

-- The last check of each tenant's books: whether the mirror is what the provider holds, and whether
-- it holds together.
create table book_checks (
  tenant_id uuid not null references tenants,
  -- When the workers check next; whoever begins a check puts it off for as long as one may take.
  due_at timestamptz not null,
  started_at timestamptz not null default now(),
  -- The end of the last check that came to its end, and what it found.
  finished_at timestamptz,
  objects integer not null default 0,
  -- What remains after repairing, and with it what was seen and not looked at more closely.
  differences integer not null default 0,
  repaired integer not null default 0,
  unexamined integer not null default 0,
  -- Why the last check came to no end, as one of our error codes.
  failure text,
  primary key (tenant_id)
);

create index book_checks_due on book_checks (due_at);

-- What the last check found, one row for each object and rule.
create table book_differences (
  tenant_id uuid not null references tenants,
  rule text not null,
  -- Of the mirror's objects, or event or change_request.
  kind text not null,
  id text not null,
  -- What is held here and what the provider says, as far as it matters; null where there is nothing.
  held jsonb,
  provider jsonb,
  remedy text not null check (remedy in ('fetch_anew', 'fetched_anew', 'retry', 'tell_merchant')),
  -- When it was found first by a check that all later ones have confirmed.
  found_at timestamptz not null default now(),
  primary key (tenant_id, rule, kind, id)
);

alter table book_checks enable row level security;
alter table book_checks force row level security;
alter table book_differences enable row level security;
alter table book_differences force row level security;

create policy tenant on book_checks to guichet_app using (tenant_id = current_tenant());
create policy tenant on book_differences to guichet_app using (tenant_id = current_tenant());

-- Which tenants' books are due and which have differences; nothing of what they are.
create policy system on book_checks for select to guichet_system using (true);
grant select (tenant_id, due_at, finished_at, differences, failure) on book_checks to guichet_system;

grant select, insert, update on book_checks to guichet_app;
grant select, insert, update, delete on book_differences to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
