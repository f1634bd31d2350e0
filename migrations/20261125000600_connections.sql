-- migrate:up
set local lock_timeout = '5s';

-- What was learned of a merchant's key when it was set in the console. The key itself is in the
-- vault; of a key that was set in another way nothing is known here.
create table provider_accounts (
  tenant_id uuid not null references tenants,
  -- Which key this row tells of, as provider_connections has it.
  key_set_at timestamptz not null,
  mode text not null check (mode in ('test', 'live')),
  -- The key's last four characters.
  key_end text not null check (length(key_end) = 4),
  account_id text not null,
  account_name text,
  set_by text not null,
  primary key (tenant_id)
);

-- The webhook endpoint that was made at the provider for a tenant.
create table provider_endpoints (
  tenant_id uuid not null references tenants,
  -- Null before the first one is made; its secret is in the vault.
  endpoint_id text,
  url text,
  made_at timestamptz,
  -- The idempotency key of one that is being made, stored before the provider is asked: whoever is
  -- killed in between asks again for the same one.
  order_key uuid,
  ordered_at timestamptz,
  -- Until when the former endpoint's secret is good.
  former_until timestamptz,
  primary key (tenant_id),
  check ((order_key is null) = (ordered_at is null)),
  check ((endpoint_id is null) = (made_at is null))
);

-- For which issuer the client secret of an identity provider was given: it is sent to no other,
-- whatever a draft says. One that was set in another way has no row.
create table identity_provider_secrets (
  tenant_id uuid not null references tenants,
  provider text not null,
  issuer text not null,
  set_at timestamptz not null default now(),
  set_by text not null,
  primary key (tenant_id, provider)
);

create function forget_issuer() returns trigger
language plpgsql
as $$
begin
  delete from identity_provider_secrets
  where tenant_id = coalesce(new.tenant_id, old.tenant_id)
  and provider = substr(coalesce(new.name, old.name), 6);
  return null;
end $$;

-- Whoever sets a secret in another way says nothing of an issuer; the console writes its row after.
create trigger secrets_issuer_set after insert or update of sealed on secrets
for each row when (new.name like 'oidc:%') execute function forget_issuer();

create trigger secrets_issuer_removed after delete on secrets
for each row when (old.name like 'oidc:%') execute function forget_issuer();

alter table provider_accounts enable row level security;
alter table provider_accounts force row level security;
alter table provider_endpoints enable row level security;
alter table provider_endpoints force row level security;
alter table identity_provider_secrets enable row level security;
alter table identity_provider_secrets force row level security;

create policy tenant on provider_accounts to guichet_app using (tenant_id = current_tenant());
create policy tenant on provider_endpoints to guichet_app using (tenant_id = current_tenant());
create policy tenant on identity_provider_secrets to guichet_app using (tenant_id = current_tenant());

grant select, insert, update on provider_accounts to guichet_app;
grant select, insert, update on provider_endpoints to guichet_app;
grant select, insert, update, delete on identity_provider_secrets to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
