-- migrate:up
set local lock_timeout = '5s';

-- Customers of the provider's test mode may live in the time of a clock, which stands until it is
-- advanced. What falls due for them does so by that clock.
create table test_clocks (
  tenant_id uuid not null references tenants,
  id text not null,
  -- Never goes back, in whatever order copies arrive.
  frozen_at timestamptz not null,
  copy_no bigint not null,
  primary key (tenant_id, id)
);

alter table test_clocks enable row level security;
alter table test_clocks force row level security;

create policy tenant on test_clocks to guichet_app using (tenant_id = current_tenant());

grant select, insert, update on test_clocks to guichet_app;

-- Null for who lives in the world's own time: everybody in live mode.
alter table customers add column test_clock_id text;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
