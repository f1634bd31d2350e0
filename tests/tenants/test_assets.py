"""Pictures are kept once by content, each for its own merchant."""

import pytest

from guichet.db import Database
from tenants.assets import MOST_PICTURES, TooManyPictures, keep_picture, load_asset, store_asset
from tenants.pictures import Picture, read_picture
from tenants.tenant import Tenant
from tenants.unusable_pictures import UnusablePicture
from tests.drawn_pictures import PNG


async def test_a_picture_is_read_back_by_the_hash_of_its_bytes(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.unit(lumen.id) as unit:
        ids = [await store_asset(unit.connection, lumen.id, PNG, "image/png") for _ in "ab"]
        asset = await load_asset(unit.connection, lumen.id, ids[0])
    assert ids[0] == ids[1]
    assert len(ids[0]) == 64
    assert asset is not None
    assert asset.body == read_picture(PNG).body
    assert asset.media_type == "image/png"
    async with db.unit(volta.id) as unit:
        assert await load_asset(unit.connection, volta.id, ids[0]) is None
        assert await load_asset(unit.connection, lumen.id, ids[0]) is None


async def test_an_unusable_picture_is_not_kept(db: Database, lumen: Tenant) -> None:
    async with db.unit(lumen.id) as unit:
        with pytest.raises(UnusablePicture):
            await store_asset(unit.connection, lumen.id, b"GIF89a", "image/gif")
        assert await unit.fetchval("select count(1) from assets") == 0


async def test_a_merchant_fills_no_disk_with_pictures(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    kept = [Picture(bytes([number]), "image/png") for number in range(MOST_PICTURES)]
    async with db.unit(lumen.id) as unit:
        for picture in kept:
            await keep_picture(unit.connection, lumen.id, picture)
        with pytest.raises(TooManyPictures):
            await store_asset(unit.connection, lumen.id, PNG, "image/png")
        # One that is there already needs no place.
        await keep_picture(unit.connection, lumen.id, kept[0])
    async with db.unit(volta.id) as unit:
        await store_asset(unit.connection, volta.id, PNG, "image/png")
