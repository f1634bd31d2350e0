"""What was charged to cards before, across all of a tenant's invoices: the networks count it."""

from collections.abc import Sequence

from guichet.billing.dunning.decisions.caps import CardCharge
from guichet.db import Unit

#: More than any network counts, with room for those that do not count.
_KEPT = 200


async def card_charges(unit: Unit, fingerprints: Sequence[str]) -> dict[str, list[CardCharge]]:
    """The last charges of each card; those that are under way are among them.

    So is what forbade the card for good, however many came after it, once more and as a charge that
    counts for nothing else. Those codes stand here and in the indexes `…_bans`, word for word: a
    test compares them with `declines`.
    """
    rows = await unit.fetch(
        """
        select
          card.fingerprint,
          charge.at,
          charge.is_merchant_initiated,
          charge.succeeded,
          charge.decline_code,
          charge.network_decline_code,
          charge.network_advice_code
        from unnest($2::text[]) as card (fingerprint)
        cross join lateral (
          (
            select
              held.created_at as at,
              coalesce(own.initiator, 'provider') <> 'customer' as is_merchant_initiated,
              held.status = 'succeeded' as succeeded,
              held.decline_code,
              held.network_decline_code,
              held.network_advice_code
            from payment_attempts as held
            left join dunning_attempts as own
              on own.tenant_id = $1
              and own.charge_id = held.id
            where held.tenant_id = $1
            and held.fingerprint = card.fingerprint
            order by held.created_at desc
            limit $3
          )
          union all
          (
            select
              own.started_at,
              own.initiator <> 'customer',
              own.state = 'succeeded',
              own.decline_code,
              own.network_decline_code,
              own.network_advice_code
            from dunning_attempts as own
            where own.tenant_id = $1
            and own.fingerprint = card.fingerprint
            and own.state in ('started', 'unknown', 'succeeded', 'declined', 'needs_authentication')
            and not exists (
              select
              from payment_attempts as held
              where held.tenant_id = $1
              and held.id = own.charge_id
            )
            order by own.started_at desc
            limit $3
          )
          union all
          (
            select
              max(held.created_at),
              false,
              false,
              held.decline_code,
              held.network_decline_code,
              held.network_advice_code
            from payment_attempts as held
            where held.tenant_id = $1
            and held.fingerprint = card.fingerprint
            and held.status = 'failed'
            and (
              held.decline_code in (
                'lost_card', 'pickup_card', 'revocation_of_all_authorizations',
                'revocation_of_authorization', 'stolen_card', 'stop_payment_order'
              )
              or held.network_decline_code in (
                '04', '07', '12', '14', '15', '41', '43', '46', '57', 'R0', 'R1', 'R3'
              )
              or held.network_advice_code in ('03', '21')
            )
            group by
              held.decline_code,
              held.network_decline_code,
              held.network_advice_code
          )
          union all
          (
            select
              max(own.started_at),
              false,
              false,
              own.decline_code,
              own.network_decline_code,
              own.network_advice_code
            from dunning_attempts as own
            where own.tenant_id = $1
            and own.fingerprint = card.fingerprint
            and (
              own.decline_code in (
                'lost_card', 'pickup_card', 'revocation_of_all_authorizations',
                'revocation_of_authorization', 'stolen_card', 'stop_payment_order'
              )
              or own.network_decline_code in (
                '04', '07', '12', '14', '15', '41', '43', '46', '57', 'R0', 'R1', 'R3'
              )
              or own.network_advice_code in ('03', '21')
            )
            group by
              own.decline_code,
              own.network_decline_code,
              own.network_advice_code
          )
        ) as charge
        """,
        unit.tenant_id,
        list(fingerprints),
        _KEPT,
    )
    charges: dict[str, list[CardCharge]] = {fingerprint: [] for fingerprint in fingerprints}
    for row in rows:
        charges[row["fingerprint"]].append(
            CardCharge(
                at=row["at"],
                is_merchant_initiated=row["is_merchant_initiated"],
                succeeded=row["succeeded"],
                decline_code=row["decline_code"],
                network_decline_code=row["network_decline_code"],
                network_advice_code=row["network_advice_code"],
            )
        )
    return charges


async def lock_cards(unit: Unit, fingerprints: Sequence[str]) -> None:
    """Have whoever else charges one of these cards wait until the unit ends."""
    await unit.execute(
        """
        select pg_advisory_xact_lock(hashtextextended($1::uuid::text || card.fingerprint, 0))
        from (
          select fingerprint
          from unnest($2::text[]) as given (fingerprint)
          order by fingerprint
        ) as card
        """,
        unit.tenant_id,
        sorted(set(fingerprints)),
    )
