-- migrate:up
set local lock_timeout = '5s';

-- Whether the provider's own retries are switched off; null while that is being changed, and as long
-- as nobody knows whether it was.
alter table dunning_cases alter column taken drop not null;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
