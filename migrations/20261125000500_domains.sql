-- migrate:up
set local lock_timeout = '5s';

-- What DNS says of a custom domain, looked at once an hour.
alter table hosts
  -- Whether DNS proved it, so that DNS can also take the proof back; what an operator has verified
  -- stays.
  add column proved_by_dns boolean not null default false,
  add column checked_at timestamptz,
  -- Whether the two records were there at the last check; null where nobody answered.
  add column proof_seen boolean,
  add column leads_here boolean,
  -- Since when a record of a verified domain is gone.
  add column missing_since timestamptz,
  -- When the domain stopped serving because of that.
  add column lost_at timestamptz;

-- A claim is worth nothing before it is proved, so several may claim a name and none can keep
-- another from proving it.
drop index hosts_host;
create unique index hosts_host on hosts (host) where verified_at is not null;

create index hosts_checked on hosts (checked_at nulls first);

-- A check that changes nothing is no news of the tenant.
drop trigger hosts_touch on hosts;

create trigger hosts_touch after insert or delete or update of verified_at on hosts
for each row execute function touch_tenant();

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
