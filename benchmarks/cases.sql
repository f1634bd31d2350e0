-- Open cases of failed payments, spread over tenants in turn, of which some are due.
-- `wanted` is the temporary table of the tenants, each with its number of cases and of due ones.

insert into dunning_cases
  (tenant_id, invoice_id, customer_id, subscription_id, state, opened_at, next_attempt_at, due_at,
  wake_at, decision, policy_version, taken, access)
select
  tenant_id, 'in_of_case_' || n, 'cus_of_case_' || n, 'sub_of_case_' || n, 'waiting',
  now() - interval '2 days', at, at, at,
  json_build_object(
    'step', 'wait', 'at', at, 'payment_method_id', 'pm_of_case_' || n, 'access', 'grace',
    'reasons', json_build_array(json_build_object('code', 'spread', 'facts', json_build_object()))
  ),
  1, true, 'grace'
from (
  select
    tenant_id, n,
    case
      when n < due then now() - random() * interval '2 hours'
      else now() + interval '1 hour' + random() * interval '10 days'
    end as at
  from wanted, generate_series(0, cases - 1) as n
) as spread
-- As they come in: tenants' cases lie between each other's.
order by n, tenant_id;

drop table wanted;
