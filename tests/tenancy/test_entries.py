"""The look-up tables hold what each tenant has now, in whatever order changes are read."""

from uuid import uuid4

import msgspec

from guichet.tenancy.entries import Entries, TenantEntry


def _entry(slug: str, *hosts: str) -> TenantEntry:
    return TenantEntry(uuid4(), uuid4(), slug, slug.title(), "active", 1, 0, hosts)


def test_a_domain_stays_with_its_new_tenant_when_the_former_one_is_read_later() -> None:
    entries, lumen, volta = Entries(), _entry("lumen", "pay.example"), _entry("volta")
    entries.put(lumen)
    entries.put(volta)
    entries.put(msgspec.structs.replace(volta, custom_hosts=("pay.example",)))
    entries.put(msgspec.structs.replace(lumen, custom_hosts=()))
    assert entries.by_custom_host["pay.example"].slug == "volta"


def test_a_slug_that_changes_is_found_by_its_new_spelling_alone() -> None:
    entries, lumen = Entries(), _entry("lumen")
    entries.put(lumen)
    entries.put(msgspec.structs.replace(lumen, slug="lumen-2"))
    assert list(entries.by_slug) == ["lumen-2"]
    assert len(entries) == 1
