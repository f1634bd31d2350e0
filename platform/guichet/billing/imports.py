"""How far the import of a tenant's account is, in a row that whoever goes on with it takes over.

An import that was killed is gone on with where it was: the row says which list it was reading, and
behind which object of it. Whoever is at work renews a lease with each page, in the transaction that
writes the page, so of two who believe to be at work one writes.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from guichet.db import Database, Unit
from guichet.errors import Conflict

#: Raised by one when copies hold more than before: every tenant is then imported anew.
EDITION = 3
#: What a longer pause misses, events would not bring back: the provider remembers them for a month.
_GOES_ON_FOR = timedelta(days=7)

Step = Literal[
    "products", "prices", "customers", "subscriptions", "invoices", "attempts", "unlisted"
]


class ImportAtWork(Conflict):
    """This account is being imported already. Please wait until that is done."""

    code = "import_at_work"


class Import(msgspec.Struct):
    """An import under our lease. All its copies have one number, drawn before the first was read.

    So whatever an event brings meanwhile stands.
    """

    tenant_id: UUID
    copy_no: int
    started_at: datetime
    step: Step
    #: The last object of the step's list that is written.
    after: str | None
    #: Objects read so far, by what they are called in the plural.
    counts: dict[str, int]
    holder: UUID
    lease: timedelta

    def enter(self, step: Step) -> None:
        """Begin a step, or go on with it."""
        if step != self.step:
            self.step = step
            self.after = None

    def start_over(self) -> None:
        """Begin the step anew: its list no longer has what we stopped at."""
        self.after = None
        self.counts.pop(self.step, None)

    def count(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number


async def imported_objects(db: Database, tenant_id: UUID) -> int | None:
    """How many objects the tenant's last import read; None where the account has to be imported.

    That is where it never got done, was of less than copies hold now, or was begun with another
    key than the present one, which may be of another account.
    """
    async with db.unit(tenant_id) as unit:
        objects: int | None = await unit.fetchval(
            """
            select (
              select coalesce(sum(number::bigint), 0)::bigint
              from jsonb_each_text(held.counts) as read (name, number)
            )
            from imports as held
            where held.tenant_id = $1
            and held.edition = $2
            and held.finished_at is not null
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = $1
              and connection.key_set_at > held.started_at
            )
            """,
            tenant_id,
            EDITION,
        )
    return objects


async def take_import(db: Database, tenant_id: UUID, lease: timedelta) -> Import:
    """Go on with the tenant's import, or begin one; raises `ImportAtWork` while somebody is.

    One that was begun with another key is not gone on with: its account may be another one.
    """
    holder = uuid4()
    async with db.unit(tenant_id) as unit:
        row = await unit.fetchrow(
            """
            update imports
            set
              holder = $2,
              held_until = now() + $3::interval
            where tenant_id = $1
            and finished_at is null
            and edition = $4
            and started_at > now() - $5::interval
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = $1
              and connection.key_set_at > imports.started_at
            )
            and (held_until is null or held_until < now())
            returning copy_no, started_at, step, after, counts::text
            """,
            tenant_id,
            holder,
            lease,
            EDITION,
            _GOES_ON_FOR,
        )
        row = row or await unit.fetchrow(
            """
            insert into imports as held (
              tenant_id, copy_no, edition, step, holder, held_until
            )
            values ($1, nextval('mirror_copies'), $4, 'products', $2, now() + $3::interval)
            on conflict (tenant_id) do update
            set
              copy_no = excluded.copy_no,
              edition = excluded.edition,
              started_at = excluded.started_at,
              step = excluded.step,
              after = null,
              counts = '{}',
              holder = excluded.holder,
              held_until = excluded.held_until,
              finished_at = null
            where held.tenant_id = $1
            and (held.held_until is null or held.held_until < now())
            returning copy_no, started_at, step, after, counts::text
            """,
            tenant_id,
            holder,
            lease,
            EDITION,
        )
    if row is None:
        raise ImportAtWork
    return Import(
        tenant_id=tenant_id,
        copy_no=row["copy_no"],
        started_at=row["started_at"],
        step=row["step"],
        after=row["after"],
        counts=msgspec.json.decode(row["counts"]),
        holder=holder,
        lease=lease,
    )


async def save_import(unit: Unit, work: Import) -> None:
    """Note how far it is and renew the lease; raises `ImportAtWork` when another has taken over.

    Call it in the unit that writes what was read, before anything is written.
    """
    ours = await unit.fetchval(
        """
        update imports
        set
          step = $3,
          after = $4,
          counts = $5::jsonb,
          held_until = now() + $6::interval
        where tenant_id = $1
        and holder = $2
        and finished_at is null
        returning true
        """,
        unit.tenant_id,
        work.holder,
        work.step,
        work.after,
        msgspec.json.encode(work.counts).decode(),
        work.lease,
    )
    if not ours:
        raise ImportAtWork


async def release_import(db: Database, work: Import, *, done: bool) -> None:
    """End the lease: the import is finished, or whoever comes next may go on with it at once."""
    async with db.unit(work.tenant_id) as unit:
        await unit.execute(
            """
            update imports
            set
              holder = null,
              held_until = null,
              finished_at = case when $3 then now() end
            where tenant_id = $1
            and holder = $2
            """,
            work.tenant_id,
            work.holder,
            done,
        )
