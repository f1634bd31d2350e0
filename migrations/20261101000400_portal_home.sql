-- migrate:up
set local lock_timeout = '5s';

-- A price with its product's name, as guichet.billing.catalog.Price reads it.
create view price_documents with (security_invoker = true) as
select
  price.tenant_id,
  price.id,
  json_build_object(
    'id', price.id,
    'product_id', price.product_id,
    'product', coalesce(product.name, price.product_id),
    'amount', case
      when price.unit_amount is not null
      then json_build_object('amount', price.unit_amount, 'currency', price.currency)
    end,
    'currency', price.currency,
    'interval', price.interval,
    'interval_count', price.interval_count,
    'active', price.active and coalesce(product.active, true)
  ) as document
from prices as price
left join products as product
  on product.tenant_id = price.tenant_id
  and product.id = price.product_id;

-- A subscription with its items, as guichet.billing.subscriptions.Subscription reads it.
create view subscription_documents with (security_invoker = true) as
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
    )
  ) as document
from subscriptions as subscription;

-- An invoice, as guichet.billing.invoices.Invoice reads it.
create view invoice_documents with (security_invoker = true) as
select
  invoice.tenant_id,
  invoice.id,
  invoice.customer_id,
  invoice.status,
  invoice.created_at,
  json_build_object(
    'id', invoice.id,
    'customer_id', invoice.customer_id,
    'subscription_id', invoice.subscription_id,
    'number', invoice.number,
    'status', invoice.status,
    'total', json_build_object('amount', invoice.total, 'currency', invoice.currency),
    'remaining', json_build_object('amount', invoice.amount_remaining, 'currency', invoice.currency),
    'attempt_count', invoice.attempt_count,
    'next_payment_attempt_at', invoice.next_payment_attempt_at,
    'created_at', invoice.created_at
  ) as document
from invoices as invoice;

grant select on price_documents, subscription_documents, invoice_documents to guichet_app;

-- Everything the portal's home shows, for the session whose token has this hash, in one round
-- trip: makes the tenant the transaction's scope, checks the session, notes at most every five
-- minutes that it was seen, and answers JSON, or null when nobody is signed in.
create function portal_home(tenant uuid, session_token_hash bytea) returns text
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
      )
    )::text
    from customers as customer
    where customer.tenant_id = tenant
    and customer.id = visitor.customer_id
    and not customer.deleted
  );
end $$;

revoke execute on function portal_home from public;
grant execute on function portal_home to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
