"""Payments that customers left unfinished: looked for, with a case or without, and settled.

A killed process leaves one behind, a lost answer does, and so does who closes the browser at their
bank. Nothing is ever charged here: it is only looked what became of what was asked for.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from guichet.billing.dunning.cases.cases import UNDER_WAY, Attempt
from guichet.billing.dunning.concluding import look_at_customer_payment
from guichet.billing.dunning.steps.stepping import ABSENCE
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.tenancy import Directory

log = structlog.get_logger()

#: Longer than a request of ours may take: nobody is at work on an older one.
ABANDONED = timedelta(seconds=45)
#: How many of a tenant one round takes, at the same time.
_BATCH = 8
#: Longer than a look may take. The next one waits as long as the payment was old at the last one.
_LEASE = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)


async def settle_unfinished(
    db: Database, providers: Providers, directory: Directory, tenant_id: UUID
) -> int:
    """Look what became of unfinished payments; answers how many came to an end.

    They wait while the tenant's provider turns us away. Raises `ProviderKeyRejected` when the
    tenant has no key.
    """
    if directory.by_id(tenant_id) is None:
        # Not known here yet: nothing is decided by a policy that is not the tenant's own.
        return 0
    payments = await _claim(db, tenant_id)
    if not payments:
        return 0
    provider = await providers.client(tenant_id)
    results = await asyncio.gather(
        *(look_at_customer_payment(db, directory, tenant_id, provider, it) for it in payments),
        return_exceptions=True,
    )
    # One that cannot be settled must not hold up the others.
    for payment, result in zip(payments, results, strict=True):
        if isinstance(result, BaseException):
            invoice = payment.invoice_id
            log.error("payment_not_settled", invoice=invoice, exc_info=result)
    return sum(isinstance(result, Attempt) and not result.is_open for result in results)


async def _claim(db: Database, tenant_id: UUID) -> list[Attempt]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            with unfinished as (
              select invoice_id, number
              from dunning_attempts
              where tenant_id = $1
              and initiator = 'customer'
              and finished_at is null
              and sent_at < now() - case when state = any($2::text[]) then $3::interval else $4 end
              and (
                looked_at is null
                or looked_at < now() - greatest($5::interval, least(looked_at - sent_at, $6))
              )
              and not exists (
                select
                from provider_connections as connection
                where connection.tenant_id = $1
                and connection.stopped
              )
              order by sent_at
              limit $7
              for update skip locked
            )
            update dunning_attempts as held
            set looked_at = now()
            from unfinished
            where held.tenant_id = $1
            and held.invoice_id = unfinished.invoice_id
            and held.number = unfinished.number
            returning to_json(held)::text as document
            """,
            tenant_id,
            list(UNDER_WAY),
            ABANDONED,
            ABSENCE,
            _LEASE,
            _LONGEST,
            _BATCH,
        )
    return [msgspec.json.decode(row["document"], type=Attempt) for row in rows]
