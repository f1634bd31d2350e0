"""Opening a portal for a new merchant: the merchant, its first published version, its pictures.

These are two transactions, for no role may write both the directory and a tenant's rows. A form's
token names the merchant that it makes, so whoever sends it again, by a double click or after a
process was killed in between, goes on where it ended and makes no second merchant.
"""

import uuid
from uuid import UUID

import msgspec

from guichet.audit import Actor, record, record_for_agency
from guichet.db import Connection, Database, Unit
from tenants.agencies import Agency, find_agency
from tenants.assets import load_asset, store_asset
from tenants.beginnings import begin_like, pictures_of
from tenants.configuration import Configuration, load_published, publish
from tenants.slugs import SlugTaken, check_slug
from tenants.tenant import UnknownTenant


class Opening(msgspec.Struct, frozen=True):
    """What somebody of an agency asks for."""

    #: Drawn when the form was shown.
    token: UUID
    name: str
    slug: str
    #: The portal's language: en or fr.
    locale: str
    #: The slug of the agency's merchant to begin like; empty to begin with nothing.
    like: str = ""


async def open_portal(
    db: Database, agency: str, wanted: Opening, by: Actor, request_id: str | None = None
) -> UUID:
    """Make the merchant and publish its first version; answers its id.

    Raises `MalformedSlug`, `ReservedSlug`, `SlugTaken`, or `UnknownTenant` where the merchant to
    begin like is not the agency's.
    """
    check_slug(wanted.slug)
    async with db.system() as connection:
        owner = await find_agency(connection, agency)
    model = await _find_model(db, owner, wanted.like) if wanted.like else None
    # Of the agency's own: nobody's token can name another agency's merchant.
    tenant_id = uuid.uuid5(owner.id, wanted.token.hex)
    async with db.system() as connection:
        if await _add(connection, tenant_id, owner, wanted):
            details: dict[str, object] = {
                "name": wanted.name,
                "agency": agency,
                "like": wanted.like,
            }
            unit = Unit(connection, tenant_id)
            await record(unit, *by, "tenant.added", wanted.slug, details, request_id)
            await record_for_agency(
                connection, owner, by, "tenant.added", details, request_id, wanted.slug
            )
    await _publish_first(db, tenant_id, wanted, model, by, request_id)
    return tenant_id


async def is_free(connection: Connection, slug: str) -> bool:
    """Whether no tenant has this slug; `connection` acts as `guichet_system`."""
    return not await connection.fetchval(
        "select exists (select from tenants where slug = $1)", slug
    )


async def _find_model(db: Database, agency: Agency, slug: str) -> UUID:
    async with db.agency(agency.id) as connection:
        found: UUID | None = await connection.fetchval(
            """
            select id
            from tenants
            where agency_id = $1
            and slug = $2
            """,
            agency.id,
            slug,
        )
    if found is None:
        raise UnknownTenant(f"{agency.slug} has no tenant {slug}")
    return found


async def _add(connection: Connection, tenant_id: UUID, agency: Agency, wanted: Opening) -> bool:
    """Whether the merchant is new; raises `SlugTaken` where another one has the slug."""
    added = await connection.fetchval(
        """
        insert into tenants (id, agency_id, slug, name)
        values ($1, $2, $3, $4)
        on conflict do nothing
        returning true
        """,
        tenant_id,
        agency.id,
        wanted.slug,
        wanted.name,
    )
    if added:
        return True
    made = await connection.fetchval("select slug from tenants where id = $1", tenant_id)
    if made != wanted.slug:
        raise SlugTaken(f"there is a tenant {wanted.slug} already")
    return False


async def _publish_first(
    db: Database,
    tenant_id: UUID,
    wanted: Opening,
    model: UUID | None,
    by: Actor,
    request_id: str | None,
) -> None:
    configuration, pictures = Configuration(locale=wanted.locale), []
    if model is not None:
        async with db.unit(model) as unit:
            published = (await load_published(unit.connection, model)).configuration
            configuration = begin_like(published, wanted.locale)
            names = sorted(pictures_of(configuration))
            found = [await load_asset(unit.connection, model, name) for name in names]
            pictures = [it for it in found if it is not None]
    async with db.unit(tenant_id) as unit:
        # Whoever sends the same form at the same moment waits here.
        version = await unit.fetchval(
            "select published_version from tenants where id = $1 for no key update", tenant_id
        )
        if version is not None:
            return
        for picture in pictures:
            await store_asset(unit.connection, tenant_id, picture.body, picture.media_type)
        version = await publish(unit.connection, tenant_id, configuration, by.name)
        details: dict[str, object] = {"version": version, "like": wanted.like}
        await record(unit, *by, "configuration.published", str(version), details, request_id)
