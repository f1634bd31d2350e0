-- migrate:up
set local lock_timeout = '5s';

-- A mail of a merchant's draft, written already, that one of the staff has sent to themselves.
alter table staff_messages
drop constraint staff_messages_kind_check,
add constraint staff_messages_kind_check
check (kind in ('sign_in', 'agency_invitation', 'tenant_invitation', 'test_mail'));

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
