-- migrate:up
set local lock_timeout = '5s';

-- Whether the end of the case has stopped the subscription's collection: that goes on once the
-- invoice is paid after all.
alter table dunning_cases add column paused_collection boolean not null default false;

-- As before, with the state beside it: open cases are counted without a look at their rows.
drop index dunning_cases_wake;
create index dunning_cases_wake on dunning_cases (tenant_id, wake_at) include (state)
where wake_at is not null;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
