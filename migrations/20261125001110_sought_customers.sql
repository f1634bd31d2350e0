-- migrate:up
set local lock_timeout = '5s';

-- What a search for customers compares. Under row level security an index serves only comparisons that
-- cannot tell of other rows: of plain columns, and not of what `lower` or `like` makes of them.
alter table customers
  add column sought_email text collate "C" generated always as (lower(email)) stored,
  add column sought_name text collate "C" generated always as (lower(name)) stored;

create index customers_sought_email on customers (tenant_id, sought_email) where not deleted;
create index customers_sought_name on customers (tenant_id, sought_name) where not deleted;
drop index customers_email_beginning;
drop index customers_name_beginning;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
