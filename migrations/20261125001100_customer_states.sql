-- migrate:up
set local lock_timeout = '5s';

-- What a member of the merchant's team asked for about a case, and when by the wall's time: a try at
-- once, no more tries (`stop`), or none and the policy's end (`end`).
alter table dunning_cases
  add column asked_for text check (asked_for in ('retry', 'stop', 'end')),
  add column asked_at timestamptz,
  add constraint dunning_cases_asked check ((asked_for is null) = (asked_at is null));

-- Under which name a merchant looks for the customers with a subscription of this status; null for one
-- that is under none.
create function standing_of(status text) returns text
language sql immutable parallel safe
return case status
  when 'active' then 'active'
  when 'trialing' then 'trial'
  when 'past_due' then 'past_due'
  when 'unpaid' then 'past_due'
  when 'canceled' then 'cancelled'
end;

-- The list of customers by that name: its pages are pages of this index.
create index subscriptions_standing
on subscriptions (tenant_id, standing_of(status), created_at desc, id desc);

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
