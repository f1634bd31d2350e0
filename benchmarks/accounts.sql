-- The mirror of accounts as the stand-in has them, whole, with the very ids that it answers with.
-- `accounts` is the temporary table of the tenants and their numbers of customers.

insert into products (tenant_id, id, name, active, copy_no)
select tenant_id, 'prod_0', 'Studio', true, 1
from accounts;

insert into prices
  (tenant_id, id, product_id, currency, unit_amount, interval, interval_count, active, copy_no)
select tenant_id, 'price_0', 'prod_0', 'eur', 2400, 'month', 1, true, 1
from accounts;

insert into customers
  (tenant_id, id, email, name, currency, default_payment_method_id, created_at, copy_no)
select
  tenant_id, 'cus_' || c, 'camille-' || c || '@example.com', 'Camille Laurent', 'eur', 'pm_' || c,
  now(), 1
from accounts, generate_series(0, customers - 1) as c;

insert into payment_methods
  (tenant_id, id, customer_id, type, brand, last4, exp_month, exp_year, created_at, copy_no)
select tenant_id, 'pm_' || c, 'cus_' || c, 'card', 'visa', '4242', 11, 2030, now(), 1
from accounts, generate_series(0, customers - 1) as c;

insert into subscriptions
  (tenant_id, id, customer_id, status, currency, cancel_at_period_end, current_period_start_at,
  current_period_end_at, latest_invoice_id, created_at, copy_no)
select
  tenant_id, 'sub_' || c, 'cus_' || c, 'active', 'eur', false, now(), now() + interval '1 month',
  'in_' || 2 * c, now(), 1
from accounts, generate_series(0, customers - 1) as c;

insert into subscription_items (tenant_id, subscription_id, id, position, price_id, quantity)
select tenant_id, 'sub_' || c, 'si_' || c, 1, 'price_0', 1
from accounts, generate_series(0, customers - 1) as c;

insert into invoices
  (tenant_id, id, customer_id, subscription_id, number, status, currency, subtotal, total,
  amount_due, amount_paid, amount_remaining, attempt_count, created_at, copy_no)
select
  tenant_id, 'in_' || i, 'cus_' || i / 2, 'sub_' || i / 2, 'LUM-' || i, 'paid', 'eur', 2400, 2400,
  2400, 2400, 0, 1, now() - interval '1 hour' * (i % 10000), 1
from accounts, generate_series(0, 2 * customers - 1) as i;

insert into invoice_lines
  (tenant_id, invoice_id, id, position, description, amount, quantity, price_id,
  subscription_item_id, period_start_at, period_end_at, proration)
select
  tenant_id, 'in_' || i, 'il_' || i, 1, 'Studio', 2400, 1, 'price_0', 'si_' || i / 2, now(),
  now() + interval '1 month', false
from accounts, generate_series(0, 2 * customers - 1) as i;

insert into invoice_payments
  (tenant_id, invoice_id, id, position, payment_intent_id, status, amount_requested, amount_paid,
  is_default, paid_at)
select
  tenant_id, 'in_' || i, 'inpay_' || i, 1, 'pi_' || i, 'paid', 2400, 2400, true, now()
from accounts, generate_series(0, 2 * customers - 1) as i;

insert into payment_attempts
  (tenant_id, id, customer_id, payment_intent_id, payment_method_id, status, currency, amount,
  amount_refunded, network, fingerprint, created_at, copy_no)
select
  tenant_id, 'ch_' || i, 'cus_' || i / 2, 'pi_' || i, 'pm_' || i / 2, 'succeeded', 'eur', 2400, 0,
  'visa', '477bba133c182267', now(), 1
from accounts, generate_series(0, 2 * customers - 1) as i;

-- Nobody is read or checked by the clock while something is measured.
insert into reconciliations (tenant_id, read_until, checked_at)
select tenant_id, 'epoch', now() + interval '1 day'
from accounts;

drop table accounts;
