-- Customers who owe an invoice since two days ago, with cases that are ours and sleep.
-- `debts` is the temporary table of what the provider calls them.

insert into products (tenant_id, id, name, active, copy_no)
select distinct tenant_id, 'prod_0', 'Studio', true, 0
from debts;

insert into prices
  (tenant_id, id, product_id, currency, unit_amount, interval, interval_count, active, copy_no)
select distinct tenant_id, 'price_0', 'prod_0', 'eur', 2400, 'month', 1, true, 0
from debts;

insert into customers
  (tenant_id, id, email, name, currency, default_payment_method_id, address, created_at, copy_no)
select
  tenant_id, customer_id, customer_id || '@example.com', 'Camille Laurent', 'eur',
  payment_method_id, '{"country": "FR"}', now() - interval '40 days', 0
from debts;

-- Each customer has a card of their own, which the provider's few test cards are not.
insert into payment_methods
  (tenant_id, id, customer_id, type, brand, last4, exp_month, exp_year, fingerprint, created_at,
  copy_no)
select
  tenant_id, payment_method_id, customer_id, 'card', 'visa', '4242', 11,
  extract(year from now())::int + 3, 'card of ' || customer_id, now() - interval '40 days', 0
from debts;

insert into subscriptions
  (tenant_id, id, customer_id, status, currency, cancel_at_period_end, current_period_start_at,
  current_period_end_at, latest_invoice_id, created_at, copy_no, access)
select
  tenant_id, subscription_id, customer_id, 'past_due', 'eur', false, now() - interval '2 days',
  now() + interval '28 days', invoice_id, now() - interval '40 days', 0, 'grace'
from debts;

insert into invoices
  (tenant_id, id, customer_id, subscription_id, number, status, currency, subtotal, total,
  amount_due, amount_paid, amount_remaining, attempt_count, created_at, copy_no)
select
  tenant_id, invoice_id, customer_id, subscription_id, invoice_id, 'open', 'eur', 2400, 2400,
  2400, 0, 2400, 1, now() - interval '2 days', 0
from debts;

insert into invoice_lines
  (tenant_id, invoice_id, id, position, description, amount, quantity, price_id,
  subscription_item_id, period_start_at, period_end_at, proration)
select
  tenant_id, invoice_id, 'il_of_' || invoice_id, 1, 'Studio', 2400, 1, 'price_0',
  'si_of_' || subscription_id, now() - interval '2 days', now() + interval '28 days', false
from debts;

insert into invoice_payments
  (tenant_id, invoice_id, id, position, payment_intent_id, status, amount_requested, is_default)
select
  tenant_id, invoice_id, 'inpay_of_' || invoice_id, 1, payment_intent_id, 'open', 2400, true
from debts;

insert into payment_attempts
  (tenant_id, id, customer_id, payment_intent_id, payment_method_id, status, currency, amount,
  amount_refunded, failure_code, decline_code, network, fingerprint, created_at, copy_no)
select
  tenant_id, 'ch_of_' || invoice_id, customer_id, payment_intent_id, payment_method_id, 'failed',
  'eur', 2400, 0, 'card_declined', 'insufficient_funds', 'visa', 'card of ' || customer_id,
  now() - interval '2 days', 0
from debts;

insert into dunning_cases
  (tenant_id, invoice_id, customer_id, subscription_id, state, opened_at, next_attempt_at, due_at,
  wake_at, decision, policy_version, taken, access)
select
  tenant_id, invoice_id, customer_id, subscription_id, 'waiting', now() - interval '2 days',
  now() - interval '1 day', now() - interval '1 day', 'infinity',
  jsonb_build_object(
    'step', 'wait', 'at', now() - interval '1 day', 'payment_method_id', payment_method_id,
    'reasons', jsonb_build_array(jsonb_build_object('code', 'spread')), 'access', 'grace'
  ),
  1, true, 'grace'
from debts;

-- What the first failure made was followed and told.
delete from mirror_news;

insert into messages
  (tenant_id, kind, customer_id, recipient, key, at, state, queued_at, due_at, sent_at)
select
  tenant_id, 'payment_failed', customer_id, customer_id || '@example.com',
  'payment_failed:' || invoice_id || ':1', now() - interval '2 days', 'sent',
  now() - interval '2 days', null, now() - interval '2 days'
from debts;

-- Nobody is read or checked by the clock while something is measured.
insert into reconciliations (tenant_id, read_until, checked_at)
select distinct tenant_id, 'epoch'::timestamptz, now() + interval '1 day'
from debts;

drop table debts;
