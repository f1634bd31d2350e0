-- migrate:up
set local lock_timeout = '5s';

-- What a merchant's staff are working on and have not published: one document that all share.
create table configuration_drafts (
  tenant_id uuid not null references tenants,
  document jsonb not null,
  -- The published version that it was begun from.
  based_on integer not null,
  changed_at timestamptz not null default now(),
  changed_by text not null,
  primary key (tenant_id)
);

alter table configuration_drafts enable row level security;
alter table configuration_drafts force row level security;

create policy tenant on configuration_drafts to guichet_app using (tenant_id = current_tenant());

grant select, insert, update, delete on configuration_drafts to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
