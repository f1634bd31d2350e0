"""Pictures of a merchant's branding, kept once each under the hash of their bytes.

What a version names is never deleted, since each version can be brought back. What neither a
version nor the draft names is removed after thirty days.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError
from tenants.pictures import Picture, read_picture

#: A merchant tries many logos; somebody who fills the disk is stopped.
MOST_PICTURES = 200
#: How long a picture is kept after its last use: whoever changes their mind may want it back.
UNUSED_KEPT = timedelta(days=30)


class TooManyPictures(TenantsError):
    """The merchant has as many pictures as are kept."""


class Asset(msgspec.Struct, frozen=True):
    """A picture as it is served; its name changes with its bytes, so it is cached for ever."""

    body: bytes
    media_type: str


async def store_asset(connection: Connection, tenant_id: UUID, body: bytes, media_type: str) -> str:
    """Read a picture of this media type, keep it and answer its id. Raises as below."""
    return await keep_picture(connection, tenant_id, read_picture(body, media_type))


async def keep_picture(connection: Connection, tenant_id: UUID, picture: Picture) -> str:
    """Keep a picture and answer its id, 64 hexadecimal digits.

    Raises `UnusablePicture`, `TooManyPictures`.
    """
    asset_id = hashlib.sha256(picture.body).hexdigest()
    kept = await connection.fetchval(
        """
        select count(1)
        from assets
        where tenant_id = $1
        and id <> $2
        """,
        tenant_id,
        asset_id,
    )
    if kept >= MOST_PICTURES:
        raise TooManyPictures(f"there are {MOST_PICTURES} pictures already")
    await connection.execute(
        """
        insert into assets (tenant_id, id, media_type, body)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, id) do update
        set unused_since = null
        """,
        tenant_id,
        asset_id,
        picture.media_type,
        picture.body,
    )
    return asset_id


async def load_asset(connection: Connection, tenant_id: UUID, asset_id: str) -> Asset | None:
    """The tenant's picture of this id, or None."""
    row = await connection.fetchrow(
        """
        select body, media_type
        from assets
        where tenant_id = $1
        and id = $2
        """,
        tenant_id,
        asset_id,
    )
    return Asset(**row) if row else None


async def remove_unused_pictures(connection: Connection, tenant_id: UUID) -> list[str]:
    """Note which pictures nothing names now, and remove what nothing has named for a while.

    A picture is named by a field of the branding. Answers what was removed.
    """
    await connection.execute(
        """
        with named as (
          select value as id
          from configurations, jsonb_each_text(document -> 'branding')
          where tenant_id = $1
          union
          select value as id
          from configuration_drafts, jsonb_each_text(document -> 'branding')
          where tenant_id = $1
        )
        update assets
        set
          unused_since = case
            when exists (select from named where named.id = assets.id) then null
            else now()
          end
        where tenant_id = $1
        and exists (select from named where named.id = assets.id) = (unused_since is not null)
        """,
        tenant_id,
    )
    rows = await connection.fetch(
        """
        delete from assets
        where tenant_id = $1
        and unused_since <= now() - $2::interval
        returning id
        """,
        tenant_id,
        UNUSED_KEPT,
    )
    return [row["id"] for row in rows]
