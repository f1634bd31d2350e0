-- migrate:up
set local lock_timeout = '5s';

-- The time in which nobody could bring the case on, as while retries are paused: by so much it ends
-- later.
alter table dunning_cases add column held_up interval not null default '0';

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
