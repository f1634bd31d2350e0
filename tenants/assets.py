"""Pictures of a merchant's branding, kept once each under the hash of their bytes.

None is ever deleted: a published version may name it, and each version can be brought back.
"""

import hashlib
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.errors import TenantsError
from tenants.pictures import Picture, read_picture

#: A merchant tries many logos; somebody who fills the disk is stopped.
MOST_PICTURES = 200


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
        on conflict (tenant_id, id) do nothing
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
