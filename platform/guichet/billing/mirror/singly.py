"""Copies written one at a time: where one of many cannot be written, the others are."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import structlog

from guichet.billing.mirror.kinds import Reference
from guichet.billing.mirror.whole import write_copies
from guichet.db import Database
from guichet.payments.copies import Copy

log = structlog.get_logger()

#: What a value of the provider that our tables do not take ends in.
UNWRITABLE = (
    asyncpg.DataError,
    # Two lines of an invoice with one id, as a list shows that changes while it is read.
    asyncpg.CardinalityViolationError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.InterfaceError,
    ValueError,
)


async def write_singly(
    db: Database, tenant_id: UUID, copies: Mapping[Reference, Copy | None], copy_no: int
) -> dict[Reference, Exception]:
    """Write each copy in a transaction of its own; answers those that cannot be, and why.

    None stands for what is missing at the provider.
    """
    failed: dict[Reference, Exception] = {}
    for reference, copy in sorted(copies.items()):
        try:
            async with db.unit(tenant_id) as unit:
                if copy is None:
                    await write_copies(unit, (), copy_no, [reference])
                else:
                    await write_copies(unit, [copy], copy_no)
        except UNWRITABLE as error:
            log.error(
                "copy_not_written",
                tenant=str(tenant_id),
                object=reference.id,
                reason=type(error).__name__,
            )
            failed[reference] = error
    return failed
