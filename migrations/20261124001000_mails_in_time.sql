-- migrate:up
set local lock_timeout = '5s';

-- What a mail was made from, and to whom it went, is erased after a while: then who was told of what
-- is all that is left.
alter table messages add column erased_at timestamptz;

create index messages_kept on messages (tenant_id, queued_at)
where erased_at is null and due_at is null;

-- The plan that a change replaces, as it was called when the change was asked for: once it is made, the
-- mirror has the new one alone.
alter table change_requests add column previous_plan text;

-- The name of the plan that a change's first order is about, or else of the subscription's first.
create function replaced_plan(tenant uuid, subscription text, request jsonb) returns text
language sql stable
as $$
  select product.name
  from subscription_items as item
  join prices as price
    on price.tenant_id = tenant
    and price.id = item.price_id
  join products as product
    on product.tenant_id = tenant
    and product.id = price.product_id
  where item.tenant_id = tenant
  and item.subscription_id = subscription
  order by item.id is distinct from request #>> '{items,0,item_id}', item.position
  limit 1
$$;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
