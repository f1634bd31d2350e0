"""The audit log: who did what, when, to which object. Written in the change's own transaction."""

from typing import Literal, NamedTuple

import msgspec

from guichet.db import Connection, Unit
from tenants.agencies import Agency
from tenants.staff import Workspace

ActorKind = Literal["customer", "staff", "system", "provider"]


class Actor(NamedTuple):
    """Who acts: a customer's or a staff member's id, or the name of a command or job."""

    kind: ActorKind
    name: str


async def record(
    unit: Unit,
    actor_kind: ActorKind,
    actor: str,
    action: str,
    subject: str,
    details: dict[str, object],
    request_id: str | None = None,
) -> None:
    """Add a row that commits or rolls back with the change it tells of.

    `action` is `<noun>.<past participle>`, such as `subscription.cancelled`, `subject` the id of
    what it was done to. `details` are what a person needs to understand it; never a secret.
    """
    await unit.execute(
        """
        insert into audit_log (tenant_id, actor_kind, actor, action, object, details, request_id)
        values ($1, $2, $3, $4, $5, $6::jsonb, $7)
        """,
        unit.tenant_id,
        actor_kind,
        actor,
        action,
        subject,
        msgspec.json.encode(details).decode(),
        request_id,
    )


async def record_for_agency(
    connection: Connection,
    agency: Agency | Workspace,
    by: Actor,
    action: str,
    details: dict[str, object],
    request_id: str | None = None,
    subject: str = "",
) -> None:
    """Add a row to an agency's own log; `connection` acts as `guichet_system` or for the agency.

    Without a `subject` it is about the agency itself.
    """
    await connection.execute(
        """
        insert into agency_audit_log
          (agency_id, actor_kind, actor, action, object, details, request_id)
        values ($1, $2, $3, $4, $5, $6::jsonb, $7)
        """,
        agency.id,
        by.kind,
        by.name,
        action,
        subject or agency.slug,
        msgspec.json.encode(details).decode(),
        request_id,
    )
