-- migrate:up
set local lock_timeout = '5s';

-- The customer with whom the last check that ended stopped looking at payment methods, which the
-- provider lists for one customer at a time; empty where it has seen all.
alter table book_checks add column methods_after text not null default '';

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
