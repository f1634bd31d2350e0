"""Customers whom the provider knows and the mirror has not seen yet."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.db import Database
from guichet.payments.choose import Providers


def bring_customers(db: Database, providers: Providers) -> Callable[[UUID, str], Awaitable[None]]:
    """A function that writes a tenant's customers with an email address into the mirror.

    For whoever signs in before the event of their creation has arrived; what they bought comes
    with its own events. Raises `ProviderError`.
    """

    async def bring(tenant_id: UUID, email: str) -> None:
        provider = await providers.client(tenant_id)
        async with db.unit(tenant_id) as unit:
            copy_no = await draw_copy_no(unit)
        copies = await provider.find_customers(email)
        async with db.unit(tenant_id) as unit:
            await write_copies(unit, copies, copy_no)

    return bring
