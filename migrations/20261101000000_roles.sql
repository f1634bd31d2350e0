-- migrate:up
set local lock_timeout = '5s';

-- Roles belong to the whole cluster, so another database of it may have made them before.
--
-- guichet_app    what every web and worker process may do inside one tenant. It owns nothing.
-- guichet_system the directory of all tenants, and which tenant has work waiting; nothing of
--                anybody's customers. A process takes it on for one transaction.
--
-- guichet_app does not inherit, on 15 as on 18: the login role that is granted guichet_app has
-- its rights at once, and those of guichet_system only after `set local role`.
do $$
begin
  create role guichet_app nologin noinherit;
exception when duplicate_object or unique_violation then
  null;
end $$;

do $$
begin
  create role guichet_system nologin noinherit;
exception when duplicate_object or unique_violation then
  null;
end $$;

do $$
begin
  if not exists (
    select
    from pg_auth_members
    where roleid = 'guichet_system'::regrole
    and member = 'guichet_app'::regrole
  ) then
    grant guichet_system to guichet_app;
  end if;
end $$;

-- After a transaction a local setting reads '' and not null, so '' must mean "no tenant" too.
create function current_tenant() returns uuid
language sql stable parallel safe
return nullif(current_setting('guichet.tenant', true), '')::uuid;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
