-- migrate:up
set local lock_timeout = '5s';

-- Whoever follows an invitation's link names the invitation and no workspace.
create index agency_invitations_id on agency_invitations (id);
create index tenant_invitations_id on tenant_invitations (id);

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
