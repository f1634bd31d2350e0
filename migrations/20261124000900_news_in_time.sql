-- migrate:up
set local lock_timeout = '5s';

-- Whether a customer may live by a test clock, so that nothing of theirs is long ago by the wall: the
-- clock may show any year. One whom the mirror has not seen yet may.
create function may_live_by_test_clock(tenant uuid, customer text) returns boolean
language sql stable
as $$
  select customer is not null and coalesce(
    (
      select held.test_clock_id is not null
      from customers as held
      where held.tenant_id = tenant
      and held.id = customer
    ),
    true
  )
$$;

-- An import of many years brings what was over long ago: nobody follows that. The wall is asked first,
-- which costs nothing.
create or replace trigger invoices_news_new after insert on invoices
for each row when (
  (new.status = 'open' and new.attempt_count > 0)
  or new.paid_at > now() - interval '1 day'
  or (new.paid_at is not null and may_live_by_test_clock(new.tenant_id, new.customer_id))
)
execute function note_news('invoice');

create or replace trigger payment_attempts_news_new after insert on payment_attempts
for each row when (
  new.status = 'failed'
  and (
    new.created_at > now() - interval '60 days'
    or may_live_by_test_clock(new.tenant_id, new.customer_id)
  )
)
execute function note_news('attempt');

create or replace trigger payment_methods_news_new after insert on payment_methods
for each row when (
  new.customer_id is not null
  and (
    new.created_at > now() - interval '1 day'
    or may_live_by_test_clock(new.tenant_id, new.customer_id)
  )
)
execute function note_news('payment_method');

create or replace trigger subscriptions_news_new after insert on subscriptions
for each row when (
  new.created_at > now() - interval '1 day'
  or may_live_by_test_clock(new.tenant_id, new.customer_id)
)
execute function note_news('subscription');

-- A row that cannot be followed is set aside with the name of what went wrong: nobody takes it, until
-- both are null again, and it is removed after a while.
alter table mirror_news
  add column set_aside_at timestamptz,
  add column failure text,
  add check ((set_aside_at is null) = (failure is null));

grant update (set_aside_at, failure) on mirror_news to guichet_app;
grant select (set_aside_at) on mirror_news to guichet_system;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
