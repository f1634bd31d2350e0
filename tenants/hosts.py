"""Custom domains of tenants. One serves a portal from when it is verified."""

import re
from datetime import datetime
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError

# Two labels at least; the last one is no number, which would be an address (RFC 1123 section 2.1).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}", re.ASCII)
_LONGEST = 253


class MalformedDomain(TenantsError):
    """Not a domain name that a portal can have."""


class HostTaken(TenantsError):
    """A tenant has this domain already."""


class UnknownHost(TenantsError):
    """The tenant has no such domain."""


class Host(msgspec.Struct, frozen=True):
    """A custom domain; it is not served before it is verified."""

    host: str
    verified_at: datetime | None
    created_at: datetime


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
    """Note a canonical domain, not verified yet. Raises `HostTaken`."""
    added = await connection.fetchval(
        """
        insert into hosts (tenant_id, host)
        values ($1, $2)
        on conflict do nothing
        returning host
        """,
        tenant_id,
        host,
    )
    if added is None:
        raise HostTaken(f"a tenant has {host} already")


async def verify_host(connection: Connection, tenant_id: UUID, host: str) -> None:
    """Serve the portal there from now on; keeps the first time. Raises `UnknownHost`."""
    verified = await connection.fetchval(
        """
        update hosts
        set verified_at = coalesce(verified_at, now())
        where tenant_id = $1
        and host = $2
        returning true
        """,
        tenant_id,
        host,
    )
    if not verified:
        raise UnknownHost(f"the tenant has no domain {host}")


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
        select host, verified_at, created_at
        from hosts
        where tenant_id = $1
        order by verified_at nulls last, host
        """,
        tenant_id,
    )
    return [Host(**row) for row in rows]
