"""All tenants in memory, found by id, slug and custom domain."""

import sys
from uuid import UUID

import asyncpg
import msgspec


class TenantEntry(msgspec.Struct, frozen=True, gc=False):
    """What every request needs of a tenant; one for each tenant of the deployment is in memory."""

    id: UUID
    agency_id: UUID
    slug: str
    name: str
    #: active or suspended.
    status: str
    #: Grows with each change of the tenant, its hosts and its secrets.
    change_no: int
    #: 0 when nothing was published yet.
    published_version: int
    #: Verified ones, the oldest first; its portal's addresses are made with that.
    custom_hosts: tuple[str, ...] = ()


class Entries:
    """The look-up tables. A slug's host needs no entry of its own: it is cut to its slug."""

    def __init__(self) -> None:
        self.by_id: dict[UUID, TenantEntry] = {}
        self.by_slug: dict[str, TenantEntry] = {}
        self.by_custom_host: dict[str, TenantEntry] = {}
        self._agencies: dict[UUID, UUID] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def entry(self, row: asyncpg.Record) -> TenantEntry:
        """An entry that shares what it has in common with others, to stay at 0.4 kB."""
        agency_id = row["agency_id"]
        return TenantEntry(
            id=row["id"],
            agency_id=self._agencies.setdefault(agency_id, agency_id),
            slug=row["slug"],
            name=row["name"],
            status=sys.intern(row["status"]),
            change_no=row["change_no"],
            published_version=row["published_version"] or 0,
            custom_hosts=tuple(row["custom_hosts"]),
        )

    def put(self, entry: TenantEntry) -> None:
        """Take in an entry in place of the one that the tenant had."""
        former = self.by_id.get(entry.id)
        if former is not None:
            self._forget(former)
        self.by_id[entry.id] = entry
        self.by_slug[entry.slug] = entry
        for host in entry.custom_hosts:
            self.by_custom_host[host] = entry

    def _forget(self, former: TenantEntry) -> None:
        # A slug or host may have gone to another tenant, whose entry came first.
        if self.by_slug.get(former.slug) is former:
            del self.by_slug[former.slug]
        for host in former.custom_hosts:
            if self.by_custom_host.get(host) is former:
                del self.by_custom_host[host]
