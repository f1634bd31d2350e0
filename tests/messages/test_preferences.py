"""What a customer does not want is theirs to say, kind by kind, and is noted."""

import json
from uuid import UUID, uuid4

import pytest

from guichet.db import Database
from guichet.errors import InvalidInput
from guichet.messages.kinds import KINDS, OPTIONAL
from guichet.messages.preferences import (
    choose_kinds,
    read_preferences,
    set_preference,
    unsubscribe,
)
from tests.messages.customers import ADA, add_customer, queue


async def test_every_optional_kind_is_wanted_until_somebody_says_otherwise(
    db: Database, tenant: UUID
) -> None:
    async with db.unit(tenant) as unit:
        assert await read_preferences(unit, ADA) == dict.fromkeys(OPTIONAL, True)
        await set_preference(unit, ADA, "receipt", False, "portal")
        read = await read_preferences(unit, ADA)
        assert not read["receipt"]
        assert read["recovered"]
        await set_preference(unit, ADA, "receipt", True, "portal")
        assert await read_preferences(unit, ADA) == dict.fromkeys(OPTIONAL, True)


async def test_what_is_new_is_audited_once(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        assert await set_preference(unit, ADA, "receipt", False, "portal")
        assert not await set_preference(unit, ADA, "receipt", False, "one_click")
        await choose_kinds(unit, ADA, set(OPTIONAL) - {"receipt"})
        rows = await unit.fetch(
            """
            select actor_kind, actor, object, details::text as details
            from audit_log
            where action = 'mail_preference.changed'
            """
        )
    (row,) = rows
    assert (row["actor_kind"], row["actor"], row["object"]) == ("customer", ADA, ADA)
    assert json.loads(row["details"]) == {"kind": "receipt", "wanted": False, "source": "portal"}


@pytest.mark.parametrize("kind", [kind for kind, rules in KINDS.items() if rules.required])
async def test_a_required_kind_cannot_be_refused(db: Database, tenant: UUID, kind: str) -> None:
    async with db.unit(tenant) as unit:
        with pytest.raises(InvalidInput):
            await set_preference(unit, ADA, kind, False, "portal")  # type: ignore[arg-type]


async def test_a_mail_ends_its_own_kind_for_its_own_customer(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    receipt = await queue(db, tenant, "receipt", "receipt:in_1")
    failed = await queue(db, tenant, "payment_failed", "failed:in_1")
    assert receipt
    assert failed
    async with db.unit(tenant) as unit:
        assert await unsubscribe(unit, receipt) == "receipt"
        assert await unsubscribe(unit, receipt, "one_click") == "receipt"
        assert await unsubscribe(unit, failed) is None
        assert await unsubscribe(unit, uuid4()) is None
        unwanted = [
            kind for kind, wanted in (await read_preferences(unit, ADA)).items() if not wanted
        ]
        others = await read_preferences(unit, "cus_bob")
    assert unwanted == ["receipt"]
    assert others == dict.fromkeys(OPTIONAL, True)
