-- migrate:up
set local lock_timeout = '5s';

-- A merchant's list of customers, newest first.
create index customers_newest on customers (tenant_id, created_at desc, id desc)
where not deleted;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
