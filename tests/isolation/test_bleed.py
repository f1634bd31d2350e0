"""A soak: no request ever sees another tenant's rows, however many are cut off and forget.

A pool of four connections serves many tenants at once. Requests are cancelled at any moment, in
the middle of a transaction too, and one in twenty is answered by a handler that forgets to say
whose rows it wants. `SOAK_SECONDS` sets how long it lasts; `make soak` takes a minute.
"""

import asyncio
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import msgspec
import pytest
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Send

from guichet.app import portal_app
from guichet.db import Database
from guichet.edge.base import base_door
from guichet.edge.entrance import Edge
from guichet.portal.visit import VISIT, Visit
from guichet.settings import Settings
from tests.isolation.asking import client_of
from tests.isolation.crowd import Member, make_crowd
from tests.statements import statements
from tests.tenancy.waiting import until

SECONDS = float(os.environ.get("SOAK_SECONDS", "8"))
TENANTS = 40
BROWSERS = 16
CONNECTIONS = 4
CANCELLED = 0.25
FORGETFUL = 0.05

Forget = Callable[[Database, UUID], Awaitable[list[str]]]


async def _without_a_scope(db: Database, _tenant_id: UUID) -> list[str]:
    async with db.pool.acquire() as connection:
        rows = await connection.fetch("select name, pg_sleep(0.002)::text from customers")
    return [row["name"] for row in rows]


async def _with_the_first_wall_alone(db: Database, tenant_id: UUID) -> list[str]:
    rows = await db.pool.fetch("select number from invoices where tenant_id = $1", tenant_id)
    return [row["number"] for row in rows]


async def _in_a_transaction(db: Database, _tenant_id: UUID) -> list[str]:
    async with db.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch("select name from products")
        await asyncio.sleep(0.001)
        rows += await connection.fetch("select number as name from invoices")
    return [row["name"] for row in rows]


async def _as_the_system(db: Database, _tenant_id: UUID) -> list[str]:
    async with db.system() as connection:
        rows = await connection.fetch("select name from customers")
    return [row["name"] for row in rows]


FORGETFUL_HANDLERS: tuple[Forget, ...] = (
    _without_a_scope,
    _with_the_first_wall_alone,
    _in_a_transaction,
    _as_the_system,
)


class Soak:
    """The portal's door, of which some requests are answered by somebody forgetful."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.portal = portal_app()

    async def door(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if self.chance.random() >= FORGETFUL:
            await self.portal(scope, receive, send)
            return
        visit: Visit = scope["state"][VISIT]
        forget = self.chance.choice(FORGETFUL_HANDLERS)
        try:
            rows = await forget(visit.deployment.db, visit.tenant.id)
            self.seen["forgot, got no rows" if not rows else "forgot, got rows"] += 1
        except asyncpg.PostgresError:
            rows = []
            self.seen["forgot, got an error"] += 1
        await ASGIResponse(body=msgspec.json.encode(rows))(scope, receive, send)

    async def browse(self, edge: Edge, crowd: list[Member], end: float) -> None:
        """Open pages of one tenant after another, and cut some of them off."""
        while asyncio.get_running_loop().time() < end:
            member = self.chance.choice(crowd)
            async with client_of(
                edge, f"http://{member.slug}.localhost:8000", member.session
            ) as client:
                path = self.chance.choice(("/", "/", "/invoices", "/subscriptions/sub_1"))
                request = asyncio.create_task(client.get(path))
                if self.chance.random() < CANCELLED:
                    await asyncio.sleep(self.chance.uniform(0, 0.02))
                    request.cancel()
                try:
                    answer = await request
                except asyncio.CancelledError:
                    self.seen["cut off"] += 1
                    continue
                assert not member.strangers_in(answer.text), (member, path)
                assert answer.status_code == 200, answer.text
                self.seen["own page" if member.is_in(answer.text) else "no page"] += 1


@pytest.mark.slow
async def test_no_read_crosses_from_one_tenant_to_another(
    settings_without_sandbox: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = msgspec.structs.replace(settings_without_sandbox, database_connections=CONNECTIONS)
    seed = random.SystemRandom().randrange(2**32)
    soak = Soak(seed)
    edge = Edge(settings, portal=soak.door, console=base_door, base=base_door)
    async with edge.lifespan() as deployment:
        crowd = await make_crowd(deployment.db, TENANTS)
        await until(lambda: len(deployment.directory) == TENANTS)
        end = asyncio.get_running_loop().time() + SECONDS
        browsers = (soak.browse(edge, crowd, end) for _ in range(BROWSERS))
        await asyncio.gather(*browsers)
        if "SOAK_SECONDS" in os.environ:
            with capsys.disabled():
                sys.stdout.write(f"\n{SECONDS:g} s, seed {seed}: {dict(soak.seen)}\n")
        assert soak.seen["forgot, got rows"] == 0, seed
        assert soak.seen["forgot, got no rows"] > 0
        assert soak.seen["forgot, got an error"] > 0
        assert soak.seen["cut off"] > 0
        assert soak.seen["own page"] > 10 * TENANTS
        await _check_connections(deployment.db)


async def _check_connections(db: Database) -> None:
    """Each connection of the pool is as it was when it was new."""
    held = [await db.pool.acquire() for _ in range(CONNECTIONS)]
    try:
        for connection in held:
            row = await connection.fetchrow(
                """
                select
                  nullif(current_setting('guichet.tenant', true), '') as tenant,
                  current_user = session_user as is_itself,
                  (select count(1) from customers) as customers,
                  (select count(1) from pg_locks where pid = pg_backend_pid()
                    and locktype = 'advisory') as locks
                """
            )
            assert row is not None
            assert dict(row) == {"tenant": None, "is_itself": True, "customers": 0, "locks": 0}
            assert not connection.is_in_transaction()
    finally:
        for connection in held:
            await db.pool.release(connection)


async def test_a_setting_left_behind_would_be_noticed(db: Database) -> None:
    """What the soak looks for can be seen: the pool itself resets nothing."""
    [member] = await make_crowd(db, 1)
    async with db.pool.acquire() as connection:
        await connection.execute(
            "select set_config('guichet.tenant', $1, false)", str(member.tenant_id)
        )
    assert await _without_a_scope(db, member.tenant_id) == ["tenant-mark-000"]
    with pytest.raises(AssertionError):
        await _check_connections(db)


def test_nothing_is_ever_set_for_longer_than_a_transaction() -> None:
    """What the pool hands on to the next request, since it resets nothing."""
    code = [statement for statement in statements() if statement.sql is not None]
    assert len(code) > 50
    for statement in code:
        assert not re.match(r"\s*(?:set|reset)\b(?! local\b)", statement.sql or "", re.IGNORECASE)
        for setting in re.findall(r"set_config\(([^)]*)\)", statement.sql or ""):
            assert setting.endswith("true"), statement.place
