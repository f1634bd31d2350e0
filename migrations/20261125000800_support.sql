-- migrate:up
set local lock_timeout = '5s';

-- One of the staff sees a customer's portal as the customer does, for a while, and changes nothing.
create table support_views (
  tenant_id uuid not null references tenants,
  id uuid not null default gen_random_uuid(),
  customer_id text not null,
  staff_id uuid not null references staff,
  -- What they were called when the view began.
  staff_email text not null,
  staff_name text not null,
  -- The session at the console that asked for it: the view ends with that one.
  session_id uuid not null,
  -- SHA-256 of what the console hands to the portal, once, and of the portal's cookie. Neither is
  -- kept anywhere.
  link_hash bytea not null,
  token_hash bytea,
  created_at timestamptz not null default now(),
  -- A minute until the portal has taken it over, then half an hour.
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id)
);

create unique index support_views_link on support_views (tenant_id, link_hash);
create unique index support_views_token on support_views (tenant_id, token_hash);

alter table support_views enable row level security;
alter table support_views force row level security;

create policy tenant on support_views to guichet_app using (tenant_id = current_tenant());
grant select, insert, update, delete on support_views to guichet_app;

-- Whether a view still holds is a question to the directory: who is a member, and signed in. Whose
-- portal it is, is none.
create policy system on support_views for select to guichet_system using (true);
grant select (
  tenant_id, id, staff_id, staff_name, session_id, token_hash, expires_at, ended_at
) on support_views to guichet_system;

-- The same as before; and who has no session may have a support view, whose token is hashed with a
-- prefix, so that neither passes for the other.
create or replace function portal_home(tenant uuid, session_token_hash bytea) returns text
language plpgsql
as $$
declare
  visitor record;
begin
  perform set_config('guichet.tenant', tenant::text, true);

  select session.id, session.customer_id, session.seen_at
  into visitor
  from sessions as session
  where session.tenant_id = tenant
  and session.token_hash = session_token_hash
  and session.revoked_at is null
  and session.expires_at > now();

  if not found then
    select view.id, view.customer_id, now() as seen_at
    into visitor
    from support_views as view
    where view.tenant_id = tenant
    and view.token_hash = session_token_hash
    and view.ended_at is null
    and view.expires_at > now();

    if not found then
      return null;
    end if;
  end if;

  if visitor.seen_at < now() - interval '5 minutes' then
    update sessions
    set seen_at = now(),
      expires_at = least(created_at + interval '30 days', now() + interval '7 days')
    where tenant_id = tenant
    and id = visitor.id;
  end if;

  return (
    select json_build_object(
      'session', json_build_object(
        'id', visitor.id,
        'customer_id', customer.id,
        'customer_email', customer.email,
        'customer_name', customer.name,
        'locale', (
          select preference.locale
          from preferences as preference
          where preference.tenant_id = tenant
          and preference.customer_id = customer.id
        )
      ),
      'now', coalesce(clock.frozen_at, now()),
      'subscriptions', (
        select coalesce(json_agg(newest.document), '[]')
        from (
          select listed.document
          from subscription_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          order by listed.status in ('canceled', 'incomplete_expired'), listed.created_at desc, listed.id
          limit 50
        ) as newest
      ),
      'payment_method', (
        select json_build_object(
          'id', method.id,
          'type', method.type,
          'brand', method.brand,
          'last4', method.last4,
          'exp_month', method.exp_month,
          'exp_year', method.exp_year
        )
        from payment_methods as method
        where method.tenant_id = tenant
        and method.customer_id = customer.id
        order by method.id is not distinct from customer.default_payment_method_id desc, method.created_at desc
        limit 1
      ),
      'invoices', (
        select coalesce(json_agg(newest.document), '[]')
        from (
          select listed.document
          from invoice_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          and listed.status <> 'draft'
          order by listed.created_at desc, listed.id desc
          limit 10
        ) as newest
      ),
      'failed_payments', (
        select coalesce(json_agg(oldest.document), '[]')
        from (
          select listed.document
          from failed_payment_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          order by listed.created_at, listed.id
          limit 20
        ) as oldest
      )
    )::text
    from customers as customer
    left join test_clocks as clock
      on clock.tenant_id = customer.tenant_id
      and clock.id = customer.test_clock_id
    where customer.tenant_id = tenant
    and customer.id = visitor.customer_id
    and not customer.deleted
  );
end $$;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
