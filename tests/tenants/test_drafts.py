"""A draft is saved section by section, and nobody overwrites what they have not seen."""

import asyncio

import msgspec
import pytest

from guichet.db import Database
from tenants.branding import Branding, Colours
from tenants.cancelling import CancelRules
from tenants.checks import InvalidConfiguration
from tenants.configuration import Configuration, load_published, publish
from tenants.drafts import (
    Draft,
    NothingToPublish,
    SectionChanged,
    discard_draft,
    load_draft,
    publish_draft,
    replace_draft,
    save_section,
)
from tenants.tenant import Tenant

NOT_CANCELLABLE = CancelRules(enabled=False)


async def _load(db: Database, tenant: Tenant) -> Draft:
    async with db.unit(tenant.id) as unit:
        return await load_draft(unit.connection, tenant.id)


async def _save(db: Database, tenant: Tenant, section: str, value: object, seen: str) -> Draft:
    async with db.unit(tenant.id) as unit:
        return await save_section(
            unit.connection, tenant.id, section, value, seen, "noor@lumen.example"
        )


async def _publish(db: Database, tenant: Tenant, seen: str) -> int:
    async with db.unit(tenant.id) as unit:
        return await publish_draft(unit.connection, tenant.id, "noor", "Because.", seen)


async def test_without_a_draft_there_is_what_is_published(db: Database, lumen: Tenant) -> None:
    async with db.unit(lumen.id) as unit:
        await publish(unit.connection, lumen.id, Configuration(locale="fr"), "test")
    draft = await _load(db, lumen)
    assert draft.configuration.locale == "fr"
    assert not draft.is_changed


async def test_a_saved_section_changes_the_draft_and_nothing_that_customers_see(
    db: Database, lumen: Tenant
) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    draft = await _load(db, lumen)
    assert draft.is_changed
    assert draft.configuration.cancel == NOT_CANCELLABLE
    assert draft.changed_by == "noor@lumen.example"
    async with db.unit(lumen.id) as unit:
        assert (await load_published(unit.connection, lumen.id)).version == 0


async def test_of_two_who_began_from_the_same_state_the_second_is_told(
    db: Database, lumen: Tenant
) -> None:
    seen = (await _load(db, lumen)).fingerprint("branding")
    first, second = (Branding(light=Colours(accent=it)) for it in ("#112233", "#445566"))
    ended = await asyncio.gather(
        _save(db, lumen, "branding", first, seen),
        _save(db, lumen, "branding", second, seen),
        return_exceptions=True,
    )
    [saved] = [it for it in ended if isinstance(it, Draft)]
    [told] = [it for it in ended if isinstance(it, SectionChanged)]
    assert told.draft.configuration == saved.configuration
    assert (await _load(db, lumen)).configuration == saved.configuration


async def test_two_at_work_on_different_sections_never_meet(db: Database, lumen: Tenant) -> None:
    draft = await _load(db, lumen)
    branding = Branding(light=Colours(accent="#112233"))
    await asyncio.gather(
        _save(db, lumen, "branding", branding, draft.fingerprint("branding")),
        _save(db, lumen, "cancel", NOT_CANCELLABLE, draft.fingerprint("cancel")),
    )
    both = (await _load(db, lumen)).configuration
    assert (both.branding, both.cancel) == (branding, NOT_CANCELLABLE)


async def test_sending_the_same_twice_is_no_conflict(db: Database, lumen: Tenant) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    again = await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    assert again.configuration.cancel == NOT_CANCELLABLE


async def test_a_mistake_in_the_section_is_not_saved_and_one_elsewhere_does_not_hinder(
    db: Database, lumen: Tenant
) -> None:
    draft = await _load(db, lumen)
    wrong = Branding(light=Colours(accent="red"))
    with pytest.raises(InvalidConfiguration) as refused:
        await _save(db, lumen, "branding", wrong, draft.fingerprint("branding"))
    assert [it.path for it in refused.value.mistakes] == ["branding.light.accent"]
    async with db.unit(lumen.id) as unit:
        await replace_draft(unit.connection, lumen.id, Configuration(branding=wrong), "import")
    saved = await _save(db, lumen, "cancel", NOT_CANCELLABLE, draft.fingerprint("cancel"))
    assert saved.configuration.branding == wrong
    with pytest.raises(InvalidConfiguration):
        await _publish(db, lumen, saved.state)


async def test_what_was_shown_is_published_once_and_nothing_else(
    db: Database, lumen: Tenant
) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    shown = await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    later = msgspec.structs.replace(shown.configuration, locale="fr")
    await _save(db, lumen, "locale", "fr", shown.fingerprint("locale"))
    with pytest.raises(SectionChanged):
        await _publish(db, lumen, shown.state)
    assert await _publish(db, lumen, (await _load(db, lumen)).state) == 1
    published = await _load(db, lumen)
    assert not published.is_changed
    assert published.published.configuration == later
    with pytest.raises(NothingToPublish):
        await _publish(db, lumen, published.state)


async def test_what_was_shown_is_not_published_over_another_version(
    db: Database, lumen: Tenant
) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    shown = await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    async with db.unit(lumen.id) as unit:
        await publish(unit.connection, lumen.id, Configuration(locale="fr"), "a command")
    with pytest.raises(SectionChanged):
        await _publish(db, lumen, shown.state)
    assert await _publish(db, lumen, (await _load(db, lumen)).state) == 2


async def test_a_discarded_draft_is_gone(db: Database, lumen: Tenant) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    async with db.unit(lumen.id) as unit:
        assert await discard_draft(unit.connection, lumen.id)
        assert not await discard_draft(unit.connection, lumen.id)
    assert not (await _load(db, lumen)).is_changed


async def test_another_tenant_has_a_draft_of_its_own(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    seen = (await _load(db, lumen)).fingerprint("cancel")
    await _save(db, lumen, "cancel", NOT_CANCELLABLE, seen)
    async with db.unit(volta.id) as unit:
        theirs = await load_draft(unit.connection, lumen.id)
    assert not theirs.is_changed
    assert not (await _load(db, volta)).is_changed
