-- migrate:up
set local lock_timeout = '5s';

-- What a merchant plans is theirs: pages have to know whose schedule leads a subscription. They
-- also show a pause, and a change that waits for its payment.
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
    'pending_update', subscription.pending_update
  ) as document
from subscriptions as subscription;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
