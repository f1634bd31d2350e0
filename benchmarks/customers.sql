-- Customers of one tenant, the newest last, each with a subscription; some had another one before.
-- $1 is the tenant, $2 how many there are.
with person as (
  insert into customers (tenant_id, id, email, name, created_at, copy_no)
  select
    $1::uuid, 'cus_' || c, 'person-' || c || '@example.com', 'Person ' || c,
    timestamptz '2020-01-01 00:00Z' + interval '1 minute' * c, 1
  from generate_series(1, $2::integer) as c
)
insert into subscriptions
  (tenant_id, id, customer_id, status, currency, cancel_at_period_end, created_at, copy_no)
select
  $1::uuid, 'sub_' || c || '_' || held.status, 'cus_' || c, held.status, 'eur', false,
  timestamptz '2020-01-01 00:00Z' + interval '1 minute' * c, 1
from generate_series(1, $2::integer) as c
cross join lateral unnest(
  case c % 10
    when 0 then array['trialing']
    when 1 then array['past_due']
    when 2 then array['canceled']
    when 3 then array['canceled', 'active']
    else array['active']
  end
) as held (status)
