"""What a network forbade for good is found, however much was charged to the card since."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from guichet.billing.dunning.cases.cards import card_charges
from guichet.billing.dunning.decisions.caps import room
from guichet.billing.dunning.decisions.declines import FORBIDDEN, ROWS
from guichet.db import Database, Unit
from tests.billing.dunning.stage import Stage
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for

_NOW = datetime(2026, 5, 1, tzinfo=UTC)
_FIELDS = {"visa": "network_decline_code", "mastercard_advice": "network_advice_code"}
#: By network, column and code: all that forbids a card for good.
FORBIDDING = [
    *(("visa", "decline_code", code) for code in FORBIDDEN),
    *(
        (row.field.removesuffix("_advice"), _FIELDS[row.field], row.code)
        for row in ROWS
        if row.field in _FIELDS and row.decline == "never"
    ),
]
#: More than are read of any card.
_NEWER = 250


@pytest.fixture
async def tenant(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db), "lumen", "Lumen")).id


async def add_charges(unit: Unit, fingerprint: str, column: str, code: str) -> None:
    """One charge that was refused with a code a year ago, and many that were paid since."""
    fields = dict.fromkeys(("decline_code", "network_decline_code", "network_advice_code"))
    fields[column] = code
    await unit.execute(
        """
        insert into payment_attempts (
          tenant_id, id, status, currency, amount, amount_refunded, fingerprint, copy_no,
          created_at, decline_code, network_decline_code, network_advice_code
        )
        select
          $1, $2 || ' ' || number, case number when 0 then 'failed' else 'succeeded' end,
          'eur', 1000, 0,
          $2, 1, $3::timestamptz + number * interval '1 day', $4, $5, $6
        from generate_series(0, $7) as number
        """,
        unit.tenant_id,
        fingerprint,
        _NOW - timedelta(days=365),
        *fields.values(),
        _NEWER,
    )


async def add_attempts(unit: Unit, fingerprint: str, column: str, code: str) -> None:
    """As above, of attempts whose charges the mirror has not seen."""
    fields = dict.fromkeys(("decline_code", "network_decline_code", "network_advice_code"))
    fields[column] = code
    await unit.execute(
        """
        insert into dunning_attempts (
          tenant_id, invoice_id, number, initiator, idempotency_key, fingerprint, started_at, state,
          decline_code, network_decline_code, network_advice_code
        )
        select
          $1, 'in_' || $2, 1 + number, 'merchant', $2 || ' ' || number, $2,
          $3::timestamptz + number * interval '1 day',
          case number when 0 then 'declined' else 'succeeded' end,
          case number when 0 then $4 end,
          case number when 0 then $5 end,
          case number when 0 then $6 end
        from generate_series(0, $7) as number
        """,
        unit.tenant_id,
        fingerprint,
        _NOW - timedelta(days=365),
        *fields.values(),
        _NEWER,
    )


@pytest.mark.parametrize("add", [add_charges, add_attempts])
async def test_every_code_that_forbids_a_card_is_found_behind_all_that_came_after(
    db: Database, tenant: UUID, add: Any
) -> None:
    assert len(FORBIDDING) > 15
    async with db.unit(tenant) as unit:
        for network, column, code in FORBIDDING:
            await add(unit, f"{network} {column} {code}", column, code)
        await add(unit, "later", "decline_code", "insufficient_funds")
        names = [" ".join(it) for it in FORBIDDING]
        charges = await card_charges(unit, [*names, "later"])
    missed = [
        name
        for (network, _, _), name in zip(FORBIDDING, names, strict=True)
        if not room(network, charges[name], _NOW).is_banned
    ]
    assert missed == []
    assert not room(None, charges["later"], _NOW).is_banned
    # What is told once more uses up nothing.
    counted = [sum(not it.succeeded and it.is_merchant_initiated for it in charges[names[0]])]
    assert counted == [0]


async def test_a_ban_behind_many_newer_charges_still_forbids(stage: Stage) -> None:
    customer = await stage.due()
    await stage.charge_before(customer, _NEWER)
    await stage.rows(
        """
        update payment_attempts
        set
          status = 'succeeded',
          decline_code = null
        where id like 'ch_before_%'
        and id <> $1
        returning 1
        """,
        f"ch_before_{_NEWER}",
    )
    await stage.rows(
        "update payment_attempts set decline_code = 'stolen_card' where id = $1 returning 1",
        f"ch_before_{_NEWER}",
    )
    await stage.work()
    case = await stage.case()
    assert case["step"] == "ask"
    assert '"banned"' in case["decision"]
    assert await stage.attempts() == []


class Explained(Unit):
    """A unit that keeps the plans of what is asked."""

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        rows: Sequence[asyncpg.Record] = await self.connection.fetch(f"explain {sql}", *args)
        self.plan = "\n".join(row[0] for row in rows)
        return []


async def test_bans_are_looked_up_by_their_own_indexes(
    db: Database, tenant: UUID, database_urls: DatabaseUrls
) -> None:
    async with db.unit(tenant) as unit:
        for number in range(40):
            await add_charges(unit, f"card {number}", "decline_code", "insufficient_funds")
            await add_attempts(unit, f"card {number}", "decline_code", "insufficient_funds")
    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute("analyze payment_attempts; analyze dunning_attempts")
    await owner.close()
    async with db.unit(tenant) as unit:
        explained = Explained(unit.connection, tenant)
        await card_charges(explained, ["card 1", "card 2"])
    assert "payment_attempts_bans" in explained.plan
    assert "dunning_attempts_bans" in explained.plan
