-- migrate:up
set local lock_timeout = '5s';

-- What a customer owes is looked for on every page of theirs, among years of what is paid.
create index invoices_open on invoices (tenant_id, customer_id, created_at) where status = 'open';

-- Whether the service may be used is shown with the subscription.
create or replace view subscription_documents with (security_invoker = true) as
select
  subscription.tenant_id,
  subscription.id,
  subscription.customer_id,
  subscription.status,
  subscription.created_at,
  json_build_object(
    'id', subscription.id,
    'customer_id', subscription.customer_id,
    'status', subscription.status,
    'currency', subscription.currency,
    'cancel_at_period_end', subscription.cancel_at_period_end,
    'cancel_at', subscription.cancel_at,
    'canceled_at', subscription.canceled_at,
    'ended_at', subscription.ended_at,
    'trial_end_at', subscription.trial_end_at,
    'current_period_start_at', subscription.current_period_start_at,
    'current_period_end_at', subscription.current_period_end_at,
    'created_at', subscription.created_at,
    'schedule_id', subscription.schedule_id,
    'default_payment_method_id', subscription.default_payment_method_id,
    'pending', case
      when subscription.pending_at is not null
      then json_build_object(
        'at', subscription.pending_at,
        'quantity', subscription.pending_quantity,
        'price', (
          select pending.document
          from price_documents as pending
          where pending.tenant_id = subscription.tenant_id
          and pending.id = subscription.pending_price_id
        )
      )
    end,
    'unfinished_change', exists (
      select
      from change_requests as request
      where request.tenant_id = subscription.tenant_id
      and request.subscription_id = subscription.id
      and request.state in ('started', 'unknown')
    ),
    'items', (
      select coalesce(json_agg(
        json_build_object(
          'id', item.id,
          'quantity', item.quantity,
          'price', price.document
        )
        order by item.position
      ), '[]')
      from subscription_items as item
      left join price_documents as price
        on price.tenant_id = item.tenant_id
        and price.id = item.price_id
      where item.tenant_id = subscription.tenant_id
      and item.subscription_id = subscription.id
    ),
    'schedule_is_ours', subscription.schedule_is_ours,
    'pause', subscription.pause,
    'pending_update', subscription.pending_update,
    'access', subscription.access
  ) as document
from subscriptions as subscription;

-- An open invoice that could not be charged, as guichet.billing.failed_payments.FailedPayment reads
-- it; the case's columns are null where nobody follows it.
create view failed_payment_documents with (security_invoker = true) as
select
  invoice.tenant_id,
  invoice.id,
  invoice.customer_id,
  invoice.subscription_id,
  invoice.created_at,
  json_build_object(
    'invoice_id', invoice.id,
    'subscription_id', invoice.subscription_id,
    'number', invoice.number,
    'amount', json_build_object('amount', invoice.amount_remaining, 'currency', invoice.currency),
    'state', followed.state,
    -- The provider's own plan counts where it is the one that tries.
    'next_attempt_at', case
      when followed.state is null or followed.state = 'provider' then invoice.next_payment_attempt_at
      else followed.next_attempt_at
    end,
    'asks_for', followed.decision ->> 'asks_for',
    'access', followed.access,
    'access_changes_at', followed.decision ->> 'access_changes_at',
    'failure', (
      select json_build_object(
        'at', attempt.created_at,
        'failure_code', attempt.failure_code,
        'decline_code', attempt.decline_code,
        'advice_code', attempt.advice_code,
        'network', attempt.network,
        'network_decline_code', attempt.network_decline_code,
        'network_advice_code', attempt.network_advice_code,
        'payment_method_id', attempt.payment_method_id,
        'brand', method.brand,
        'last4', method.last4
      )
      from invoice_payments as payment
      join payment_attempts as attempt
        on attempt.tenant_id = payment.tenant_id
        and attempt.payment_intent_id = payment.payment_intent_id
        and attempt.status = 'failed'
      left join payment_methods as method
        on method.tenant_id = attempt.tenant_id
        and method.id = attempt.payment_method_id
      where payment.tenant_id = invoice.tenant_id
      and payment.invoice_id = invoice.id
      order by attempt.created_at desc, attempt.id desc
      limit 1
    )
  ) as document
from invoices as invoice
left join dunning_cases as followed
  on followed.tenant_id = invoice.tenant_id
  and followed.invoice_id = invoice.id
where invoice.status = 'open'
and invoice.attempt_count > 0
and invoice.amount_remaining > 0
and invoice.collection_method = 'charge_automatically';

grant select on failed_payment_documents to guichet_app;

-- The same as before, with what failed and with the time that the customer lives in.
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
    return null;
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

-- Whoever changes a customer's payment methods reads all of them first and asks the provider, so
-- one does at a time. A row that somebody left behind counts for nothing after its time.
create table payment_method_leases (
  tenant_id uuid not null references tenants,
  customer_id text not null,
  held_until timestamptz not null,
  primary key (tenant_id, customer_id)
);

alter table payment_method_leases enable row level security;
alter table payment_method_leases force row level security;
create policy tenant on payment_method_leases to guichet_app using (tenant_id = current_tenant());
grant select, insert, update, delete on payment_method_leases to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
