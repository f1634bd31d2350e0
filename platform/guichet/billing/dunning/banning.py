"""A customer's cards that their networks forbid for good: a merchant never charges them again."""

from datetime import datetime

from guichet.billing.dunning.cases.cards import card_charges
from guichet.billing.dunning.decisions.caps import room
from guichet.db import Unit


async def banned_methods(unit: Unit, customer_id: str, now: datetime) -> frozenset[str]:
    """Those of the customer's payment methods, for whichever invoice they were refused.

    They may be tried all the same where their holder asks for it: the bans are for merchants.
    """
    rows = await unit.fetch(
        """
        select id, brand, fingerprint
        from payment_methods
        where tenant_id = $1
        and customer_id = $2
        and fingerprint is not null
        limit 100
        """,
        unit.tenant_id,
        customer_id,
    )
    if not rows:
        return frozenset()
    charges = await card_charges(unit, sorted({row["fingerprint"] for row in rows}))
    return frozenset(
        row["id"] for row in rows if room(row["brand"], charges[row["fingerprint"]], now).is_banned
    )
