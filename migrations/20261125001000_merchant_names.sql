-- migrate:up
set local lock_timeout = '5s';

-- A list by name is read by people, to whom upper and lower case are one.
drop index tenants_agency_name;
create index tenants_agency_name on tenants (agency_id, lower(name), slug);

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
