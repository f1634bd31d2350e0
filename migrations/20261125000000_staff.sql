-- migrate:up
set local lock_timeout = '5s';

-- guichet_agency  what an agency may see of its own merchants: the directory's rows and the figures
--                 that workers keep of each, nothing of anybody's customers. A process takes it on
--                 for one transaction, with the agency named in it.
do $$
begin
  create role guichet_agency nologin noinherit;
exception when duplicate_object or unique_violation then
  null;
end $$;

do $$
begin
  if not exists (
    select
    from pg_auth_members
    where roleid = 'guichet_agency'::regrole
    and member = 'guichet_app'::regrole
  ) then
    grant guichet_agency to guichet_app;
  end if;
end $$;

create function current_agency() returns uuid
language sql stable parallel safe
return nullif(current_setting('guichet.agency', true), '')::uuid;

-- People who work for agencies and merchants, known by one address of mail, in lower case.
create table staff (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (length(email) between 3 and 254 and email = lower(email)),
  name text not null default '' check (length(name) <= 200),
  locale text check (length(locale) <= 10),
  created_at timestamptz not null default now()
);

-- The subject of the deployment's identity provider, linked once to a person.
create table staff_identities (
  issuer text not null,
  subject text not null,
  staff_id uuid not null references staff,
  linked_at timestamptz not null default now(),
  primary key (issuer, subject)
);

create table staff_sign_in_attempts (
  state_hash bytea primary key,
  browser_hash bytea not null,
  nonce text not null,
  code_verifier text not null,
  next_path text not null,
  expires_at timestamptz not null
);

-- Links that were mailed to let somebody in; the token follows from the id and a master key.
create table staff_links (
  id uuid primary key default gen_random_uuid(),
  staff_id uuid not null references staff,
  next_path text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create index staff_links_expires on staff_links (expires_at);

create table staff_sessions (
  id uuid primary key default gen_random_uuid(),
  -- SHA-256 of the cookie's value, which is kept nowhere.
  token_hash bytea not null unique,
  staff_id uuid not null references staff,
  -- `link` or `oidc`.
  provider text not null,
  device text not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);

create index staff_sessions_staff on staff_sessions (staff_id);

-- Who may do what in an agency's workspace, and in all of its merchants'.
create table agency_members (
  agency_id uuid not null references agencies,
  staff_id uuid not null references staff,
  email text not null,
  name text not null default '',
  role text not null check (role in ('owner', 'member')),
  added_at timestamptz not null default now(),
  added_by text not null,
  primary key (agency_id, staff_id)
);

create index agency_members_staff on agency_members (staff_id);

-- The same for one merchant's workspace.
create table tenant_members (
  tenant_id uuid not null references tenants,
  staff_id uuid not null references staff,
  email text not null,
  name text not null default '',
  role text not null check (role in ('owner', 'admin', 'support', 'analyst')),
  added_at timestamptz not null default now(),
  added_by text not null,
  primary key (tenant_id, staff_id)
);

create index tenant_members_staff on tenant_members (staff_id);

create table agency_invitations (
  agency_id uuid not null references agencies,
  id uuid not null default gen_random_uuid(),
  email text not null check (length(email) between 3 and 254 and email = lower(email)),
  role text not null check (role in ('owner', 'member')),
  invited_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  primary key (agency_id, id)
);

create table tenant_invitations (
  tenant_id uuid not null references tenants,
  id uuid not null default gen_random_uuid(),
  email text not null check (length(email) between 3 and 254 and email = lower(email)),
  role text not null check (role in ('owner', 'admin', 'support', 'analyst')),
  invited_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id)
);

-- One invitation at a time for an address.
create unique index agency_invitations_open on agency_invitations (agency_id, email)
where accepted_at is null and revoked_at is null;
create unique index tenant_invitations_open on tenant_invitations (tenant_id, email)
where accepted_at is null and revoked_at is null;

-- Mails of the deployment to its staff. No token stands in one: what writes the mail makes it.
create table staff_messages (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (kind in ('sign_in', 'agency_invitation', 'tenant_invitation')),
  recipient text not null,
  locale text not null,
  facts jsonb not null,
  state text not null default 'queued' check (state in ('queued', 'sending', 'sent', 'failed')),
  reason text,
  tries smallint not null default 0,
  queued_at timestamptz not null default now(),
  due_at timestamptz default now(),
  ended_at timestamptz
);

create index staff_messages_due on staff_messages (due_at) where due_at is not null;

alter table staff enable row level security;
alter table staff force row level security;
alter table staff_identities enable row level security;
alter table staff_identities force row level security;
alter table staff_sign_in_attempts enable row level security;
alter table staff_sign_in_attempts force row level security;
alter table staff_links enable row level security;
alter table staff_links force row level security;
alter table staff_sessions enable row level security;
alter table staff_sessions force row level security;
alter table agency_members enable row level security;
alter table agency_members force row level security;
alter table tenant_members enable row level security;
alter table tenant_members force row level security;
alter table agency_invitations enable row level security;
alter table agency_invitations force row level security;
alter table tenant_invitations enable row level security;
alter table tenant_invitations force row level security;
alter table staff_messages enable row level security;
alter table staff_messages force row level security;

create policy system on staff to guichet_system using (true) with check (true);
create policy system on staff_identities to guichet_system using (true) with check (true);
create policy system on staff_sign_in_attempts to guichet_system using (true) with check (true);
create policy system on staff_links to guichet_system using (true) with check (true);
create policy system on staff_sessions to guichet_system using (true) with check (true);
create policy system on agency_members to guichet_system using (true) with check (true);
create policy system on tenant_members to guichet_system using (true) with check (true);
create policy system on agency_invitations to guichet_system using (true) with check (true);
create policy system on tenant_invitations to guichet_system using (true) with check (true);
create policy system on staff_messages to guichet_system using (true) with check (true);

create policy tenant on tenant_members to guichet_app using (tenant_id = current_tenant());
create policy tenant on tenant_invitations to guichet_app using (tenant_id = current_tenant());

create policy agency on agencies to guichet_agency using (id = current_agency());
create policy agency on tenants to guichet_agency using (agency_id = current_agency());
create policy agency on agency_members to guichet_agency using (agency_id = current_agency());
create policy agency on agency_invitations to guichet_agency using (agency_id = current_agency());
create policy agency on agency_audit_log to guichet_agency using (agency_id = current_agency());

grant usage on schema public to guichet_agency;
grant select, insert, update on staff to guichet_system;
grant select, insert on staff_identities to guichet_system;
grant select, insert, delete on staff_sign_in_attempts to guichet_system;
grant select, insert, update, delete on staff_links to guichet_system;
grant select, insert, update, delete on staff_sessions to guichet_system;
grant select, insert, update on agency_members to guichet_system;
grant select, insert, update on tenant_members to guichet_system;
grant select, insert, update on agency_invitations to guichet_system;
grant select, insert, update on tenant_invitations to guichet_system;
grant select, insert, update, delete on staff_messages to guichet_system;

grant select, update (role), delete on tenant_members to guichet_app;
grant select, update (revoked_at) on tenant_invitations to guichet_app;

grant select, update (name) on agencies to guichet_agency;
grant select on tenants to guichet_agency;
grant select, update (role), delete on agency_members to guichet_agency;
grant select, update (revoked_at) on agency_invitations to guichet_agency;
grant select, insert on agency_audit_log to guichet_agency;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
