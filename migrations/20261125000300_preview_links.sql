-- migrate:up
set local lock_timeout = '5s';

-- Addresses at which one of the staff may look at a merchant's draft for an hour. The token in an
-- address follows from the id and a master key, so that a page that is loaded anew has the same.
create table preview_links (
  tenant_id uuid not null references tenants,
  staff_id uuid not null references staff,
  id uuid not null default gen_random_uuid(),
  expires_at timestamptz not null,
  primary key (tenant_id, staff_id),
  unique (tenant_id, id)
);

alter table preview_links enable row level security;
alter table preview_links force row level security;

create policy tenant on preview_links to guichet_app using (tenant_id = current_tenant());

grant select, insert, update on preview_links to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
