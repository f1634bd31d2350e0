"""What staff do to agencies and tenants: each act with its audit row in one transaction."""

from uuid import UUID

from guichet.audit import Actor, record, record_for_agency
from guichet.db import Connection, Database, Unit
from guichet.settings import Settings
from tenants import agencies, assets, configuration, hosts, members, tenant
from tenants.agencies import Agency
from tenants.configuration import Configuration
from tenants.staff import AgencyRole, TenantRole, add_staff
from tenants.tenant import Status, Tenant, UnknownTenant
from tenants.vault import Vault


class Registry:
    """The acts of one person or command. All of them raise the errors of `tenants`."""

    def __init__(
        self, settings: Settings, db: Database, by: Actor, request_id: str | None = None
    ) -> None:
        self._base_host = settings.base_host
        self._db = db
        self._by = by
        self._request_id = request_id

    async def add_agency(self, slug: str, name: str) -> Agency:
        async with self._db.system() as connection:
            added = await agencies.add_agency(connection, slug, name)
            await record_for_agency(connection, added, self._by, "agency.added", {"name": name})
        return added

    async def add_tenant(self, agency: str, slug: str, name: str) -> Tenant:
        async with self._db.system() as connection:
            owner = await agencies.find_agency(connection, agency)
            added = await tenant.add_tenant(connection, owner, slug, name)
            await self._note(
                connection, added.id, "tenant.added", slug, {"name": name, "agency": agency}
            )
        return added

    async def put_agency_member(self, slug: str, email: str, role: AgencyRole) -> None:
        """Let somebody into an agency, or change their role. Raises `MalformedEmail`."""
        async with self._db.system() as connection:
            found = await agencies.find_agency(connection, slug)
            person = await add_staff(connection, email)
            await members.put_agency_member(connection, found.id, person, role, self._by.name)
            details: dict[str, object] = {"email": person.email, "role": role}
            await record_for_agency(connection, found, self._by, "member.set", details)

    async def put_tenant_member(self, slug: str, email: str, role: TenantRole) -> None:
        """Let somebody into a merchant's workspace, or change their role; as above."""
        async with self._db.system() as connection:
            found = await tenant.find_tenant(connection, slug)
            person = await add_staff(connection, email)
            await members.put_tenant_member(connection, found.id, person, role, self._by.name)
            await self._note(connection, found.id, "member.set", person.email, {"role": role})

    async def set_status(
        self, slug: str, status: Status, reason: str = "", agency: str | None = None
    ) -> bool:
        """Whether this changed anything; if not, nothing is noted either.

        Noted in the merchant's log and in its agency's. Where `agency` is given, a merchant of
        another one is an `UnknownTenant`.
        """
        async with self._db.system() as connection:
            found = await tenant.find_tenant(connection, slug)
            if agency not in (None, found.agency):
                raise UnknownTenant(f"{agency} has no tenant {slug}")
            changed = await tenant.set_status(connection, found.id, status)
            if changed:
                action = "tenant.suspended" if status == "suspended" else "tenant.resumed"
                details: dict[str, object] = {"reason": reason} if reason else {}
                await self._note(connection, found.id, action, slug, details)
                owner = await agencies.find_agency(connection, found.agency)
                await record_for_agency(
                    connection, owner, self._by, action, details, self._request_id, slug
                )
        return changed

    async def add_host(self, slug: str, domain: str) -> str:
        """Note a custom domain, not verified yet; answers its canonical spelling."""
        host = hosts.canonical_domain(domain, self._base_host)
        async with self._db.system() as connection:
            found = await tenant.find_tenant(connection, slug)
            await hosts.add_host(connection, found.id, host)
            await self._note(connection, found.id, "host.added", host, {})
        return host

    async def verify_host(self, slug: str, domain: str) -> str:
        host = hosts.canonical_domain(domain, self._base_host)
        async with self._db.system() as connection:
            found = await tenant.find_tenant(connection, slug)
            await hosts.verify_host(connection, found.id, host)
            await self._note(connection, found.id, "host.verified", host, {})
        return host

    async def remove_host(self, slug: str, domain: str) -> str:
        host = hosts.canonical_domain(domain, self._base_host)
        async with self._db.system() as connection:
            found = await tenant.find_tenant(connection, slug)
            await hosts.remove_host(connection, found.id, host)
            await self._note(connection, found.id, "host.removed", host, {})
        return host

    async def set_secret(self, vault: Vault, slug: str, name: str, value: str) -> None:
        async with self._db.unit(await self._id(slug)) as unit:
            await vault.store(unit.connection, unit.tenant_id, name, value)
            await record(unit, *self._by, "secret.set", name, {})

    async def add_picture(self, slug: str, body: bytes, media_type: str) -> str:
        async with self._db.unit(await self._id(slug)) as unit:
            asset_id = await assets.store_asset(unit.connection, unit.tenant_id, body, media_type)
            details: dict[str, object] = {"media_type": media_type, "bytes": len(body)}
            await record(unit, *self._by, "picture.added", asset_id, details)
        return asset_id

    async def publish(self, slug: str, document: Configuration, reason: str = "") -> int:
        """Publish a configuration; answers the number of its version."""
        async with self._db.unit(await self._id(slug)) as unit:
            version = await configuration.publish(
                unit.connection, unit.tenant_id, document, self._by.name, reason
            )
            details: dict[str, object] = {"version": version, "reason": reason}
            await record(unit, *self._by, "configuration.published", str(version), details)
        return version

    async def rotate(self, vault: Vault, tenant_id: UUID) -> int:
        """Wrap a tenant's secrets under the current master key; answers how many were not."""
        async with self._db.unit(tenant_id) as unit:
            count = await vault.rotate(unit.connection, tenant_id)
            if count:
                details: dict[str, object] = {"secrets": count, "master_key": vault.current}
                await record(unit, *self._by, "vault.rotated", "vault", details)
        return count

    async def _id(self, slug: str) -> UUID:
        async with self._db.system() as connection:
            return (await tenant.find_tenant(connection, slug)).id

    async def _note(
        self,
        connection: Connection,
        tenant_id: UUID,
        action: str,
        subject: str,
        details: dict[str, object],
    ) -> None:
        unit = Unit(connection, tenant_id)
        await record(unit, *self._by, action, subject, details, self._request_id)
