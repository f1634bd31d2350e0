-- migrate:up
set local lock_timeout = '5s';

-- Charges after which a card's network forbids to try it again, for good: few, and found however many
-- came after them. The codes are those of `guichet.billing.dunning.decisions.declines`.
create index payment_attempts_bans on payment_attempts (tenant_id, fingerprint)
where status = 'failed'
and (
  decline_code in (
    'lost_card', 'pickup_card', 'revocation_of_all_authorizations', 'revocation_of_authorization',
    'stolen_card', 'stop_payment_order'
  )
  or network_decline_code in ('04', '07', '12', '14', '15', '41', '43', '46', '57', 'R0', 'R1', 'R3')
  or network_advice_code in ('03', '21')
);
create index dunning_attempts_bans on dunning_attempts (tenant_id, fingerprint)
where (
  decline_code in (
    'lost_card', 'pickup_card', 'revocation_of_all_authorizations', 'revocation_of_authorization',
    'stolen_card', 'stop_payment_order'
  )
  or network_decline_code in ('04', '07', '12', '14', '15', '41', '43', '46', '57', 'R0', 'R1', 'R3')
  or network_advice_code in ('03', '21')
);

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
