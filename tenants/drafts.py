"""The draft of a portal's configuration: one document that a merchant's staff work on together.

It is saved section by section. Whoever saves says which state of the section they began from, so
that two people at work on one section do not overwrite each other, and two at work on different
ones never meet.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tenants.checks import InvalidConfiguration, broken_rules
from tenants.configuration import (
    LARGEST_DOCUMENT,
    Configuration,
    DocumentTooLarge,
    Published,
    load_published,
    load_version,
    publish,
)
from tenants.connection import Connection
from tenants.errors import TenantsError

#: What a section is: a field of the configuration, such as `branding` or `retries`.
SECTIONS: tuple[str, ...] = Configuration.__struct_fields__


class SectionChanged(TenantsError):
    """Somebody else has changed this section since it was read; `draft` is how it stands now."""

    def __init__(self, section: str, draft: "Draft") -> None:
        self.section = section
        self.draft = draft
        super().__init__(f"{section} was changed by {draft.changed_by or 'a publication'}")


class NothingToPublish(TenantsError):
    """The draft says what is published already."""


class Draft(msgspec.Struct, frozen=True):
    """The configuration as staff see it; where nobody has changed anything, what is published."""

    configuration: Configuration
    published: Published
    #: The version that the draft was begun from; the published one where there is no draft.
    based_on: int
    changed_at: datetime | None = None
    changed_by: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to publish."""
        return self.configuration != self.published.configuration

    @property
    def is_outrun(self) -> bool:
        """Whether another version was published since the draft was begun."""
        return self.based_on != self.published.version

    @property
    def state(self) -> str:
        """What would be published in the place of what: it changes when either does."""
        return fingerprint((self.published.version, self.configuration))

    def fingerprint(self, section: str) -> str:
        """The state of a section, which a form carries and gives back."""
        return fingerprint(getattr(self.configuration, section))


def fingerprint(value: object) -> str:
    """Twenty hexadecimal digits that change with the value."""
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:20]


async def load_draft(connection: Connection, tenant_id: UUID) -> Draft:
    """The draft, or what is published where there is none."""
    published = await load_published(connection, tenant_id)
    row = await connection.fetchrow(
        """
        select document::text, based_on, changed_at, changed_by
        from configuration_drafts
        where tenant_id = $1
        """,
        tenant_id,
    )
    if row is None:
        return Draft(published.configuration, published, published.version)
    return Draft(
        msgspec.json.decode(row["document"], type=Configuration),
        published,
        row["based_on"],
        row["changed_at"],
        row["changed_by"],
    )


async def has_changes(connection: Connection, tenant_id: UUID) -> bool:
    """Whether there is anything to publish; where nobody has a draft, that is one small query."""
    is_begun = await connection.fetchval(
        """
        select true
        from configuration_drafts
        where tenant_id = $1
        """,
        tenant_id,
    )
    return bool(is_begun) and (await load_draft(connection, tenant_id)).is_changed


async def save_section(
    connection: Connection, tenant_id: UUID, section: str, value: Any, seen: str, changed_by: str
) -> Draft:
    """Put one section into the draft; `seen` is the fingerprint that its form was shown with.

    Raises `SectionChanged`, `DocumentTooLarge`, or `InvalidConfiguration` with the mistakes in
    this section; those of others do not keep anybody from saving.
    """
    await lock_configuration(connection, tenant_id)
    draft = await load_draft(connection, tenant_id)
    if seen != draft.fingerprint(section) and value != getattr(draft.configuration, section):
        raise SectionChanged(section, draft)
    changed = msgspec.structs.replace(draft.configuration, **{section: value})
    mistakes = [it for it in broken_rules(changed) if _is_of(it.path, section)]
    if mistakes:
        raise InvalidConfiguration(mistakes)
    return await _store(connection, tenant_id, draft, changed, changed_by)


async def replace_draft(
    connection: Connection,
    tenant_id: UUID,
    configuration: Configuration,
    changed_by: str,
    seen: str | None = None,
) -> Draft:
    """Put a whole configuration, such as an imported or a former one, in the draft's place.

    Raises `DocumentTooLarge`, or `SectionChanged` where the draft's `state` is not the one `seen`.
    """
    await lock_configuration(connection, tenant_id)
    draft = await load_draft(connection, tenant_id)
    if seen is not None and seen != draft.state:
        raise SectionChanged("", draft)
    begun = msgspec.structs.replace(draft, based_on=draft.published.version)
    return await _store(connection, tenant_id, begun, configuration, changed_by)


async def catch_up(connection: Connection, tenant_id: UUID, changed_by: str, seen: str) -> Draft:
    """Take into the draft what was published since it was begun.

    A section that both have changed stays as the draft has it. Raises `SectionChanged` where the
    draft's `state` is not the one `seen`.
    """
    await lock_configuration(connection, tenant_id)
    draft = await load_draft(connection, tenant_id)
    if seen != draft.state:
        raise SectionChanged("", draft)
    base = await load_base(connection, tenant_id, draft)
    published = draft.published.configuration
    untouched = (it for it in SECTIONS if getattr(draft.configuration, it) == getattr(base, it))
    taken = {section: getattr(published, section) for section in untouched}
    caught_up = msgspec.structs.replace(draft.configuration, **taken)
    begun = msgspec.structs.replace(draft, based_on=draft.published.version)
    return await _store(connection, tenant_id, begun, caught_up, changed_by)


async def load_base(connection: Connection, tenant_id: UUID, draft: Draft) -> Configuration:
    """What was published when the draft was begun."""
    if not draft.is_outrun:
        return draft.published.configuration
    if not draft.based_on:
        return Configuration()
    return (await load_version(connection, tenant_id, draft.based_on)).configuration


async def discard_draft(connection: Connection, tenant_id: UUID, seen: str | None = None) -> bool:
    """Go back to what is published; answers whether there was a draft.

    Raises `SectionChanged` where the draft's `state` is not the one `seen`.
    """
    if seen is not None:
        await lock_configuration(connection, tenant_id)
        draft = await load_draft(connection, tenant_id)
        if seen != draft.state:
            raise SectionChanged("", draft)
    discarded = await connection.fetchval(
        """
        delete from configuration_drafts
        where tenant_id = $1
        returning true
        """,
        tenant_id,
    )
    return bool(discarded)


async def publish_draft(
    connection: Connection, tenant_id: UUID, published_by: str, reason: str, seen: str
) -> int:
    """Publish the draft whose `state` was shown; answers the new version's number.

    Raises `NothingToPublish`, `InvalidConfiguration`, or `SectionChanged` where the draft is no
    longer the one that was shown.
    """
    await lock_configuration(connection, tenant_id)
    draft = await load_draft(connection, tenant_id)
    if not draft.is_changed:
        raise NothingToPublish("the draft says what is published already")
    if seen != draft.state:
        raise SectionChanged("", draft)
    mistakes = tuple(broken_rules(draft.configuration))
    if mistakes:
        raise InvalidConfiguration(mistakes)
    version = await publish(connection, tenant_id, draft.configuration, published_by, reason)
    await discard_draft(connection, tenant_id)
    return version


async def lock_configuration(connection: Connection, tenant_id: UUID) -> None:
    """Have other writers of a tenant's configuration wait for each other, as publishing does."""
    await connection.execute(
        """
        select id
        from tenants
        where id = $1
        for no key update
        """,
        tenant_id,
    )


async def _store(
    connection: Connection,
    tenant_id: UUID,
    draft: Draft,
    configuration: Configuration,
    changed_by: str,
) -> Draft:
    document = msgspec.json.encode(configuration)
    if len(document) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"a configuration has at most {LARGEST_DOCUMENT} bytes")
    changed_at = await connection.fetchval(
        """
        insert into configuration_drafts (tenant_id, document, based_on, changed_by)
        values ($1, $2::jsonb, $3, $4)
        on conflict (tenant_id) do update
        set
          document = excluded.document,
          based_on = excluded.based_on,
          changed_at = now(),
          changed_by = excluded.changed_by
        returning changed_at
        """,
        tenant_id,
        document.decode(),
        draft.based_on,
        changed_by,
    )
    return Draft(configuration, draft.published, draft.based_on, changed_at, changed_by)


def _is_of(path: str, section: str) -> bool:
    return path.partition(".")[0].partition("[")[0] == section
