"""Custom domains proved by DNS: what the records say, and what follows from it.

A domain serves a portal once a TXT record says that it is the tenant's and its name leads here,
and stops when one of the two has been gone for three days. The second record counts too, because
a verified domain becomes the portal's one address, and customers are sent there.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import structlog

from guichet.audit import Actor, record
from guichet.db import Database, Unit
from guichet.dns_servers import parse_server
from tenants.hosts import Host, challenge, lose_host, note_check, verify_host

log = structlog.get_logger()

#: Before the domain, in the name of the record that proves it.
CHALLENGE_LABEL = "_guichet-challenge"
#: How long a record may be gone before the domain stops serving.
GRACE = timedelta(hours=72)

#: One question, asked of however many servers.
_SECONDS = 4.0


class Finding(NamedTuple):
    """What DNS says of a domain; None where nobody answers."""

    #: Whether the TXT record says that it is the tenant's.
    proof_seen: bool | None
    #: Whether the name leads to the portal.
    leads_here: bool | None


class Resolver:
    """Asks DNS; the servers are the system's own unless others are named."""

    def __init__(self, servers: Sequence[str] = (), seconds: float = _SECONDS) -> None:
        self._servers = tuple(servers)
        self._seconds = seconds

    async def look_up(self, tenant_id: UUID, host: str, target: str) -> Finding:
        """What the records of a domain say; `target` is the host that it should lead to."""
        try:
            resolver = self._open()
        except dns.exception.DNSException as error:
            log.error("dns_not_set_up", reason=type(error).__name__)
            return Finding(None, None)
        name = f"{CHALLENGE_LABEL}.{host}"
        texts, leads_here = await asyncio.gather(
            self._ask(resolver, name, "TXT"), self._leads_to(resolver, host, target)
        )
        proof_seen = None if texts is None else challenge(tenant_id, host) in texts
        return Finding(proof_seen, leads_here)

    def _open(self) -> dns.asyncresolver.Resolver:
        # Made anew each time, so that a change of the system's servers is noticed.
        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(*parse_server(server)) for server in self._servers
            ]
        return resolver

    async def _leads_to(
        self, resolver: dns.asyncresolver.Resolver, host: str, target: str
    ) -> bool | None:
        """Whether a name is an alias of another, or has an address in common with it.

        A domain's own top has no alias, so its provider copies the addresses.
        """
        aliases = await self._ask(resolver, host, "CNAME")
        if aliases and target in aliases:
            return True
        kinds = ("A", "AAAA")
        found = await asyncio.gather(
            *(self._ask(resolver, name, kind) for name in (host, target) for kind in kinds)
        )
        own = {address for answer in found[:2] for address in answer or ()}
        theirs = {address for answer in found[2:] for address in answer or ()}
        if own & theirs:
            return True
        return None if aliases is None or None in found else False

    async def _ask(
        self, resolver: dns.asyncresolver.Resolver, name: str, kind: str
    ) -> set[str] | None:
        """The records of a kind as texts; none where there are none, None where nobody answers."""
        try:
            answer = await resolver.resolve(name, kind, search=False, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.NameTooLong):
            return set()
        except (dns.exception.DNSException, OSError):
            return None
        if kind == "TXT":
            return {b"".join(it.strings).decode(errors="replace") for it in answer}
        return {it.to_text().lower().removesuffix(".") for it in answer}


async def check_domain(
    db: Database, resolver: Resolver, tenant_id: UUID, host: str, target: str, by: Actor
) -> Host:
    """Look a domain up and do what follows: verify it, or lose it.

    Raises `UnknownHost`, and `HostTaken` where another tenant proved it first.
    """
    finding = await resolver.look_up(tenant_id, host, target)
    async with db.system() as connection:
        unit = Unit(connection, tenant_id)
        found = await note_check(connection, tenant_id, host, *finding)
        if found.verified_at is None and all(finding):
            await verify_host(connection, tenant_id, host, by_dns=True)
            await record(unit, *by, "host.verified", host, {"by": "dns"})
        elif _is_lost(found):
            await lose_host(connection, tenant_id, host)
            details: dict[str, object] = {
                "missing_since": found.missing_since,
                "proof_seen": found.proof_seen,
                "leads_here": found.leads_here,
            }
            await record(unit, *by, "host.lost", host, details)
            log.warning("domain_lost", tenant=str(tenant_id), host=host)
    return found


def _is_lost(found: Host) -> bool:
    """Whether a record is gone for long enough, and was seen to be gone just now."""
    if not found.proved_by_dns or found.missing_since is None or found.checked_at is None:
        return False
    is_gone = found.proof_seen is False or found.leads_here is False
    return is_gone and found.checked_at - found.missing_since >= GRACE
