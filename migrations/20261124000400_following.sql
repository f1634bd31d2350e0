-- migrate:up
set local lock_timeout = '5s';

-- As before, and of a payment method whose it was: its cases are looked at when it is taken away.
create or replace function note_news() returns trigger
language plpgsql
as $$
declare
  was jsonb;
begin
  -- One expression may not name columns that another table lacks.
  if tg_op = 'UPDATE' then
    if tg_argv[0] = 'invoice' then
      was := jsonb_build_object('status', old.status, 'attempt_count', old.attempt_count);
    elsif tg_argv[0] = 'subscription' then
      was := jsonb_build_object(
        'status', old.status, 'cancel_at_period_end', old.cancel_at_period_end, 'trial_end_at', old.trial_end_at
      );
    elsif tg_argv[0] = 'payment_method' then
      was := jsonb_build_object('customer_id', old.customer_id);
    else
      was := '{}';
    end if;
  end if;
  insert into mirror_news (tenant_id, kind, object_id, was)
  values (new.tenant_id, tg_argv[0], new.id, was);
  return null;
end $$;

-- Who is reminded of what comes.
create index subscriptions_trials on subscriptions (tenant_id, trial_end_at, id)
where status = 'trialing';
create index subscriptions_renewals on subscriptions (tenant_id, current_period_end_at, id)
where status = 'active' and not cancel_at_period_end;
create index payment_methods_expiring on payment_methods (tenant_id, exp_year, exp_month, id)
where customer_id is not null;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
