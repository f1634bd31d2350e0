-- migrate:up
set local lock_timeout = '5s';

-- A merchant's list of customers, newest first, and its search by the beginning of a name or of an
-- address of mail, whatever the database's collation is.
create index customers_newest on customers (tenant_id, created_at desc, id desc)
where not deleted;
create index customers_email_beginning on customers (tenant_id, lower(email) text_pattern_ops)
where not deleted;
create index customers_name_beginning on customers (tenant_id, lower(name) text_pattern_ops)
where not deleted;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
