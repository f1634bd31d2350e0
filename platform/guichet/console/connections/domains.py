"""A merchant's own domains: claimed here, proved by DNS."""

from datetime import timedelta
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.audit import Actor
from guichet.console.access import EDITORS
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import NotFound
from guichet.tenancy.domains import CHALLENGE_LABEL, GRACE, Resolver, check_domain
from guichet.theming.locale import gettext
from tenants.hosts import (
    MOST_HOSTS,
    Host,
    HostTaken,
    MalformedDomain,
    TooManyHosts,
    UnknownHost,
    add_host,
    canonical_domain,
    challenge,
    list_hosts,
    remove_host,
    take_turn,
)

Domain = Annotated[str, PathParameter(max_length=253)]

#: However often somebody presses the button, a domain is looked up no sooner than this.
_PAUSE = timedelta(seconds=5)


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_MALFORMED = _("Write a domain of yours such as billing.example.com, without an address around it.")
_TAKEN = _("This domain is in use already, here or at another portal.")
_TOO_MANY = _("There may be %(most)s at most.")
_PROVED_ELSEWHERE = _("Another portal has proved this domain in the meantime.")


class ShownDomain(msgspec.Struct, frozen=True):
    """A domain with the records that it needs."""

    host: Host
    #: Name and value of the record that proves it.
    proof_name: str
    proof: str
    #: The host that it has to lead to.
    target: str
    #: Whether the portal's addresses are made with it.
    is_first: bool

    @property
    def hours_left(self) -> int | None:
        """How long it still serves where a record is gone; None where none is."""
        if self.host.missing_since is None or self.host.checked_at is None:
            return None
        left = GRACE - (self.host.checked_at - self.host.missing_since)
        return max(1, round(left.total_seconds() / 3600))


@get("/merchants/{merchant:str}/domains", opt=EDITORS)
async def domains(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Every domain, how it stands, and what is to be done about it."""
    return await _show(visit)


@post("/merchants/{merchant:str}/domains", opt=EDITORS)
async def add_domain(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Claim a domain and look it up at once."""
    typed = visit.form.get("domain", "")
    try:
        host = canonical_domain(typed[:300], visit.deployment.settings.base_host)
        async with visit.deployment.db.system() as connection:
            await add_host(connection, visit.place.id, host)
            await visit.record(Unit(connection, visit.place.id), "host.added", host, {})
    except MalformedDomain:
        return await _refuse(visit, typed, _MALFORMED)
    except HostTaken:
        return await _refuse(visit, typed, _TAKEN)
    except TooManyHosts:
        return await _refuse(visit, typed, _TOO_MANY)
    return visit.redirect(visit.path(f"/domains#{host}"))


@post("/merchants/{merchant:str}/domains/{domain:str}/check", opt=EDITORS)
async def look_up_domain(visit: NamedDependency[Visit], domain: Domain) -> ASGIResponse:
    """Ask DNS now, unless that was done a moment ago."""
    deployment, tenant_id = visit.deployment, visit.place.id
    async with deployment.db.system() as connection:
        known = await list_hosts(connection, tenant_id)
        if all(it.host != domain for it in known):
            raise NotFound
        is_due = await take_turn(connection, tenant_id, domain, _PAUSE)
    if is_due:
        resolver = Resolver(deployment.settings.dns_servers)
        by = Actor("staff", visit.staff.email)
        try:
            await check_domain(deployment.db, resolver, tenant_id, domain, _target(visit), by)
        except HostTaken:
            return await _show(visit, status=409, message=_PROVED_ELSEWHERE)
        except UnknownHost:
            raise NotFound from None
    return visit.redirect(visit.path(f"/domains#{domain}"))


@post("/merchants/{merchant:str}/domains/{domain:str}/remove", opt=EDITORS)
async def remove_domain(visit: NamedDependency[Visit], domain: Domain) -> ASGIResponse:
    """Give a domain up; the portal stays at its other addresses."""
    async with visit.deployment.db.system() as connection:
        try:
            await remove_host(connection, visit.place.id, domain)
        except UnknownHost:
            raise NotFound from None
        await visit.record(Unit(connection, visit.place.id), "host.removed", domain, {})
    return visit.redirect(visit.path("/domains"))


HANDLERS = (domains, add_domain, look_up_domain, remove_domain)


def _target(visit: Visit) -> str:
    """The portal's host that is always there: no custom domain leads to another one."""
    return f"{visit.place.slug}.{visit.deployment.settings.base_host}"


async def _refuse(visit: Visit, typed: str, mistake: str) -> ASGIResponse:
    text = gettext(visit.locale)(mistake) % {"most": MOST_HOSTS}
    return await _show(visit, status=422, typed=typed, mistakes={"domain": text})


async def _show(
    visit: Visit,
    status: int = 200,
    typed: str = "",
    mistakes: dict[str, str] | None = None,
    message: str = "",
) -> ASGIResponse:
    tenant_id, target = visit.place.id, _target(visit)
    async with visit.deployment.db.system() as connection:
        found = await list_hosts(connection, tenant_id)
    shown = [
        ShownDomain(
            host=it,
            proof_name=f"{CHALLENGE_LABEL}.{it.host}",
            proof=challenge(tenant_id, it.host),
            target=target,
            is_first=place == 0 and it.verified_at is not None,
        )
        for place, it in enumerate(found)
    ]
    return visit.page(
        "domains.html",
        status=status,
        home=visit.path("/domains"),
        domains=shown,
        target=target,
        fields={"domain": typed},
        mistakes=mistakes or {},
        message=message,
    )
