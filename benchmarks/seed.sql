-- What the provider's copies are, and a session, for every tenant of a benchmark at once.
-- `tokens` is the temporary table of the sessions' hashes.

insert into customers
  (tenant_id, id, email, name, currency, default_payment_method_id, created_at, copy_no)
select
  id, 'cus_' || slug, 'camille@' || slug || '.example.com', 'Camille Laurent', 'eur',
  'pm_' || slug, now() - interval '400 days', nextval('mirror_copies')
from tenants;

insert into payment_methods
  (tenant_id, id, customer_id, type, brand, last4, exp_month, exp_year, created_at, copy_no)
select
  id, 'pm_' || slug, 'cus_' || slug, 'card', 'visa', '4242', 11,
  extract(year from now())::int + 3, now() - interval '400 days', nextval('mirror_copies')
from tenants;

insert into products (tenant_id, id, name, active, copy_no)
select
  tenant.id, 'prod_' || substr(slug, 10) || '_' || n,
  (array['Solo', 'Studio', 'Atelier'])[n + 1], true, nextval('mirror_copies')
from tenants as tenant, generate_series(0, 2) as n;

insert into prices
  (tenant_id, id, product_id, currency, unit_amount, interval, interval_count, active,
  copy_no)
select
  tenant.id, 'price_' || substr(slug, 10) || '_' || n,
  'prod_' || substr(slug, 10) || '_' || n, 'eur', 100 * (n + 5 + abs(hashtext(slug)) % 90),
  'month', 1, true, nextval('mirror_copies')
from tenants as tenant, generate_series(0, 2) as n;

with begun as (
  select id, slug, now() - random() * interval '29 days' as at
  from tenants
)
insert into subscriptions
  (tenant_id, id, customer_id, status, currency, default_payment_method_id,
  cancel_at_period_end, current_period_start_at, current_period_end_at, created_at, copy_no)
select
  id, 'sub_' || slug, 'cus_' || slug, 'active', 'eur', 'pm_' || slug, false, at,
  at + interval '30 days', at - interval '390 days', nextval('mirror_copies')
from begun;

insert into subscription_items
  (tenant_id, subscription_id, id, position, price_id, quantity)
select id, 'sub_' || slug, 'si_' || slug, 0, 'price_' || substr(slug, 10) || '_1', 1
from tenants;

insert into invoices
  (tenant_id, id, customer_id, subscription_id, number, status, currency, total,
  amount_paid, amount_remaining, attempt_count, created_at, copy_no)
select
  tenant.id, 'in_' || slug || '_' || n, 'cus_' || slug, 'sub_' || slug,
  'M' || substr(slug, 10) || '-' || lpad(n::text, 4, '0'), 'paid', 'eur',
  price.unit_amount, price.unit_amount, 0, 1, now() - (n + random()) * interval '30 days',
  nextval('mirror_copies')
from tenants as tenant
join prices as price
  on price.tenant_id = tenant.id
  and price.id = 'price_' || substr(slug, 10) || '_1',
generate_series(1, 10) as n;

insert into sessions (tenant_id, token_hash, customer_id, provider, device, expires_at)
select
  tenant.id, token.hash, 'cus_' || tenant.slug, 'account', 'Firefox on Linux',
  now() + interval '7 days'
from tenants as tenant
join tokens as token on token.tenant_id = tenant.id;

drop table tokens;
