"""Which mails a customer wants. Without a word from them they get every kind."""

from collections.abc import Collection
from datetime import timedelta
from typing import Literal
from uuid import UUID

from guichet.audit import record
from guichet.db import Unit
from guichet.errors import InvalidInput, TooManyRequests
from guichet.messages.kinds import KINDS, OPTIONAL, Kind

#: How a customer said so: on the preferences page, by the link of a mail, or by the button that
#: their mail program shows (RFC 8058).
Source = Literal["portal", "link", "one_click"]

_CHANGED = "mail_preference.changed"
_WITHIN = timedelta(hours=1)
#: Each kind off and on again, several times.
_MOST_CHANGES = 60


class TooManyPreferences(TooManyRequests):
    """Your preferences were changed too often. Please try again in an hour."""

    code = "too_many_preferences"


async def read_preferences(unit: Unit, customer_id: str) -> dict[Kind, bool]:
    """Every kind that a customer may do without, and whether they want it."""
    rows = await unit.fetch(
        """
        select kind
        from mail_preferences
        where tenant_id = $1
        and customer_id = $2
        and not wanted
        """,
        unit.tenant_id,
        customer_id,
    )
    unwanted = {row["kind"] for row in rows}
    return {kind: kind not in unwanted for kind in OPTIONAL}


async def choose_kinds(unit: Unit, customer_id: str, wanted: Collection[Kind]) -> None:
    """Note that a customer wants these of the kinds that they may do without, and no other.

    Raises `TooManyPreferences` for who has changed them again and again: each change is audited.
    """
    changes = [
        await set_preference(unit, customer_id, kind, kind in wanted, "portal") for kind in OPTIONAL
    ]
    # Counted with those of this unit: rows of a kind have made whoever changes it too wait by now.
    if any(changes) and await _count_changes(unit, customer_id) > _MOST_CHANGES:
        raise TooManyPreferences


async def _count_changes(unit: Unit, customer_id: str) -> int:
    count: int = await unit.fetchval(
        """
        select count(1)
        from audit_log
        where tenant_id = $1
        and object = $2
        and action = $3
        and at > now() - $4::interval
        """,
        unit.tenant_id,
        customer_id,
        _CHANGED,
        _WITHIN,
    )
    return count


async def set_preference(
    unit: Unit, customer_id: str, kind: Kind, wanted: bool, source: Source
) -> bool:
    """Note what a customer wants; answers whether that is new, and only then it is audited.

    Raises `InvalidInput` for a kind that is sent to everybody.
    """
    if kind not in OPTIONAL:
        raise InvalidInput(kind=kind)
    changed = await unit.fetchval(
        """
        insert into mail_preferences as held (tenant_id, customer_id, kind, wanted, source)
        select $1, $2, $3, $4, $5
        where not $4
        or exists (
          select
          from mail_preferences
          where tenant_id = $1
          and customer_id = $2
          and kind = $3
        )
        on conflict (tenant_id, customer_id, kind) do update
        set
          wanted = excluded.wanted,
          source = excluded.source,
          changed_at = now()
        where held.wanted <> excluded.wanted
        returning true
        """,
        unit.tenant_id,
        customer_id,
        kind,
        wanted,
        source,
    )
    if changed:
        details: dict[str, object] = {"kind": kind, "wanted": wanted, "source": source}
        await record(unit, "customer", customer_id, _CHANGED, customer_id, details)
    return bool(changed)


async def unsubscribe(unit: Unit, message_id: UUID, source: Source = "link") -> Kind | None:
    """End the kind of a mail for the customer who got it; repeating it does no harm.

    Answers the kind, or None where there is no such mail or everybody gets that kind. The id comes
    from the mail's own link, whose token has been checked.
    """
    row = await unit.fetchrow(
        """
        select kind, customer_id
        from messages
        where tenant_id = $1
        and id = $2
        """,
        unit.tenant_id,
        message_id,
    )
    if row is None or KINDS[row["kind"]].required:
        return None
    kind: Kind = row["kind"]
    await set_preference(unit, row["customer_id"], kind, False, source)
    return kind
