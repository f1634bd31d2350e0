"""Pictures of a merchant's branding, kept once each under the hash of their bytes."""

import hashlib
from uuid import UUID

import msgspec

from tenants.connection import Connection
from tenants.pictures import check_picture


class Asset(msgspec.Struct, frozen=True):
    """A picture as it is served; its name changes with its bytes, so it is cached for ever."""

    body: bytes
    media_type: str


async def store_asset(connection: Connection, tenant_id: UUID, body: bytes, media_type: str) -> str:
    """Keep a picture and answer its id, 64 hexadecimal digits. Raises `UnusablePicture`."""
    check_picture(body, media_type)
    asset_id = hashlib.sha256(body).hexdigest()
    await connection.execute(
        """
        insert into assets (tenant_id, id, media_type, body)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, id) do nothing
        """,
        tenant_id,
        asset_id,
        media_type,
        body,
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
