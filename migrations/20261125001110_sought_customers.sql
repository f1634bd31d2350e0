-- migrate:up
set local lock_timeout = '5s';

-- What a search for customers compares. Under row level security an index serves only comparisons that
-- cannot tell of other rows: of plain columns, and not of what `lower` or `like` makes of them. Nobody
-- searches for more than 200 letters, and an index takes no row of more than 2,700 bytes.
alter table customers
  add column sought_email text collate "C" generated always as (left(lower(email), 200)) stored,
  add column sought_name text collate "C" generated always as (left(lower(name), 200)) stored;

create index customers_sought_email on customers (tenant_id, sought_email) where not deleted;
create index customers_sought_name on customers (tenant_id, sought_name) where not deleted;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
