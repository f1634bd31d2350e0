"""Custom domains of tenants. One serves a portal from when it is verified."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError

# Two labels at least; the last one is no number, which would be an address (RFC 1123 section 2.1).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}", re.ASCII)
_LONGEST = 253
#: So many domains a tenant may have or claim: each is looked up every hour.
MOST_HOSTS = 20

State = Literal["pending", "verified", "lost"]


class MalformedDomain(TenantsError):
    """Not a domain name that a portal can have."""


class HostTaken(TenantsError):
    """A tenant has this domain already."""


class UnknownHost(TenantsError):
    """The tenant has no such domain."""


class TooManyHosts(TenantsError):
    """The tenant has as many domains as one may have."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A custom domain; it is not served before it is verified."""

    host: str
    verified_at: datetime | None
    created_at: datetime
    #: Whether DNS proved it; what an operator has verified is not taken back by DNS.
    proved_by_dns: bool = False
    checked_at: datetime | None = None
    #: Whether the record that proves it, and the one that leads here, were there at the last
    #: check; None where nobody answered.
    proof_seen: bool | None = None
    leads_here: bool | None = None
    #: Since when a verified domain lacks one of them.
    missing_since: datetime | None = None
    #: When it stopped serving because of that.
    lost_at: datetime | None = None

    @property
    def state(self) -> State:
        if self.verified_at is not None:
            return "verified"
        return "lost" if self.lost_at is not None else "pending"


def challenge(tenant_id: UUID, host: str) -> str:
    """What the TXT record of a domain says to prove that it is this tenant's.

    Only who rules the domain can publish it, and it names one tenant and one domain, so it needs
    no secret: it may be read by everybody, and never changes.
    """
    text = f"guichet domain {tenant_id} {host}"
    return f"guichet={hashlib.sha256(text.encode()).hexdigest()[:40]}"


def canonical_domain(domain: str, base_host: str) -> str:
    """The domain as requests name it. Raises `MalformedDomain`.

    Names of the deployment's own base domain are refused: those are slugs. International names
    are given in their ASCII form (xn--…), which leaves no two spellings of one name.
    """
    host = domain.strip().lower().removesuffix(".")
    if len(host) > _LONGEST or not _DOMAIN.fullmatch(host):
        raise MalformedDomain(
            f"{domain!r} is no domain name; write an international one in its xn-- form"
        )
    if host == base_host or host.endswith(f".{base_host}"):
        raise MalformedDomain(f"{host} belongs to the deployment's own domain {base_host}")
    return host


async def add_host(connection: Connection, tenant_id: UUID, host: str) -> None:
    """Note that a tenant claims a canonical domain, not verified yet.

    Raises `HostTaken` where the tenant has it or another has verified it, and `TooManyHosts`.
    """
    added = await connection.fetchval(
        """
        insert into hosts (tenant_id, host)
        select $1, $2
        where not exists (
          select
          from hosts as other
          where other.host = $2
          and other.verified_at is not null
        )
        and (
          select count(1)
          from hosts as own
          where own.tenant_id = $1
        ) < $3
        on conflict do nothing
        returning host
        """,
        tenant_id,
        host,
        MOST_HOSTS,
    )
    if added is not None:
        return
    own = await list_hosts(connection, tenant_id)
    if len(own) >= MOST_HOSTS and all(it.host != host for it in own):
        raise TooManyHosts(f"a tenant has {MOST_HOSTS} domains at most")
    raise HostTaken(f"a tenant has {host} already")


async def verify_host(
    connection: Connection, tenant_id: UUID, host: str, *, by_dns: bool = False
) -> None:
    """Serve the portal there from now on; keeps the first time.

    Raises `UnknownHost`, and `HostTaken` where another tenant has verified it; the transaction is
    over then.
    """
    try:
        verified = await connection.fetchval(
            """
            update hosts
            set
              verified_at = coalesce(verified_at, now()),
              proved_by_dns = $3,
              missing_since = null,
              lost_at = null
            where tenant_id = $1
            and host = $2
            returning true
            """,
            tenant_id,
            host,
            by_dns,
        )
    except asyncpg.UniqueViolationError:
        raise HostTaken(f"a tenant has {host} already") from None
    if not verified:
        raise UnknownHost(f"the tenant has no domain {host}")


async def lose_host(connection: Connection, tenant_id: UUID, host: str) -> None:
    """Serve the portal there no longer; the claim stays, and can be proved again."""
    await connection.execute(
        """
        update hosts
        set
          verified_at = null,
          missing_since = null,
          lost_at = now()
        where tenant_id = $1
        and host = $2
        """,
        tenant_id,
        host,
    )


async def remove_host(connection: Connection, tenant_id: UUID, host: str) -> None:
    """Raises `UnknownHost`."""
    removed = await connection.fetchval(
        """
        delete from hosts
        where tenant_id = $1
        and host = $2
        returning true
        """,
        tenant_id,
        host,
    )
    if not removed:
        raise UnknownHost(f"the tenant has no domain {host}")


async def list_hosts(connection: Connection, tenant_id: UUID) -> list[Host]:
    """A tenant's domains, the one that its addresses are made with first."""
    rows = await connection.fetch(
        """
        select
          host,
          verified_at,
          created_at,
          proved_by_dns,
          checked_at,
          proof_seen,
          leads_here,
          missing_since,
          lost_at
        from hosts
        where tenant_id = $1
        order by verified_at nulls last, host
        """,
        tenant_id,
    )
    return [Host(**row) for row in rows]


async def note_check(
    connection: Connection,
    tenant_id: UUID,
    host: str,
    proof_seen: bool | None,
    leads_here: bool | None,
) -> Host:
    """Write down what DNS says of a domain and lock it until the commit. Raises `UnknownHost`.

    A record that is gone counts from when it was first seen to be gone; where nobody answers,
    nothing is known and nothing counts.
    """
    row = await connection.fetchrow(
        """
        update hosts
        set
          checked_at = now(),
          proof_seen = $3,
          leads_here = $4,
          missing_since = case
            when verified_at is null or ($3 and $4) then null
            when not $3 or not $4 then coalesce(missing_since, now())
            else missing_since
          end
        where tenant_id = $1
        and host = $2
        returning
          host,
          verified_at,
          created_at,
          proved_by_dns,
          checked_at,
          proof_seen,
          leads_here,
          missing_since,
          lost_at
        """,
        tenant_id,
        host,
        proof_seen,
        leads_here,
    )
    if row is None:
        raise UnknownHost(f"the tenant has no domain {host}")
    return Host(**row)


async def take_turn(connection: Connection, tenant_id: UUID, host: str, every: timedelta) -> bool:
    """Whether a domain is due to be looked up; of several who ask at a time one is told so."""
    taken = await connection.fetchval(
        """
        update hosts
        set checked_at = now()
        where tenant_id = $1
        and host = $2
        and (checked_at is null or checked_at <= now() - $3::interval)
        returning true
        """,
        tenant_id,
        host,
        every,
    )
    return bool(taken)
