"""The floor of webhook intake: verify and insert, one row and one commit for each request.

`POST /webhooks/stripe` reads the body, checks Stripe's signature and its age with one HMAC,
decodes the fields that the row needs with msgspec, and inserts the row with one statement in one
round trip, which PostgreSQL commits before the answer is sent.

The row goes to `raw_events`, a table with the columns and indexes of `provider_events` but without
row-level security. No tenant is looked up, its signing secret is a constant, a second delivery of
an event is an error, nobody is told that there is work, and nothing is logged or counted. The
pool, the server (granian on uvloop) and their settings are the finished program's own.
"""

import contextlib
import hmac
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar.types import Receive, Scope, Send

from benchmarks.floors.serving import Answer, Pool, answer, open_pool, serve_floor

_TOLERANCE_SECONDS = 300


class Given(msgspec.Struct, frozen=True):
    """The one tenant of the floor."""

    tenant_id: UUID
    secret: str


class _Object(msgspec.Struct):
    id: str


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Data


@contextlib.asynccontextmanager
async def open_intake() -> AsyncIterator[Answer]:
    """The program with its pool open."""
    given = msgspec.json.decode(os.environ["FLOOR_GIVEN"], type=Given)
    async with open_pool() as pool:
        yield _Intake(pool, given).answer


class _Intake:
    def __init__(self, pool: Pool, given: Given) -> None:
        self._pool = pool
        self._tenant_id = given.tenant_id
        self._secret = given.secret.encode()
        self._decoder = msgspec.json.Decoder(_Event)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message["body"]
            more = message["more_body"]
        header = next(value for name, value in scope["headers"] if name == b"stripe-signature")
        self._verify(header, body)
        event = self._decoder.decode(body)
        await self._pool.execute(
            """
            insert into raw_events (tenant_id, id, type, object_id, created_at, body)
            values ($1, $2, $3, $4, $5, $6)
            """,
            self._tenant_id,
            event.id,
            event.type,
            event.data.object.id,
            datetime.fromtimestamp(event.created, UTC),
            body,
        )
        await answer(send, b"stored")

    def _verify(self, header: bytes, body: bytes) -> None:
        signed_at, _, tag = header.removeprefix(b"t=").partition(b",v1=")
        expected = hmac.digest(self._secret, signed_at + b"." + body, "sha256").hex().encode()
        if not hmac.compare_digest(tag, expected):
            raise ValueError("the signature is wrong")
        if abs(time.time() - int(signed_at)) > _TOLERANCE_SECONDS:
            raise ValueError("the signature is old")


if __name__ == "__main__":
    serve_floor(open_intake)
