"""Pictures are kept once by content, each for its own merchant."""

from datetime import timedelta

import pytest

from guichet.db import Database, Unit
from tenants.assets import (
    MOST_PICTURES,
    UNUSED_KEPT,
    TooManyPictures,
    keep_picture,
    load_asset,
    remove_unused_pictures,
    store_asset,
)
from tenants.branding import Branding
from tenants.configuration import Configuration, publish
from tenants.drafts import replace_draft
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


async def _grow_older(unit: Unit, by: timedelta) -> None:
    await unit.execute(
        """
        update assets
        set unused_since = unused_since - $2::interval
        where tenant_id = $1
        """,
        unit.tenant_id,
        by,
    )


async def test_a_picture_goes_thirty_days_after_nothing_names_it_any_more(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.unit(volta.id) as unit:
        others = await store_asset(unit.connection, volta.id, PNG, "image/png")
    async with db.unit(lumen.id) as unit:
        ids = [
            await keep_picture(unit.connection, lumen.id, Picture(bytes([it]), "image/png"))
            for it in range(4)
        ]
        published, former, drafted, unused = ids
        for logo in (former, published):
            document = Configuration(branding=Branding(logo=logo))
            await publish(unit.connection, lumen.id, document, "a test")
        draft = Configuration(branding=Branding(logo_dark=drafted))
        await replace_draft(unit.connection, lumen.id, draft, "a test")
        assert await remove_unused_pictures(unit.connection, lumen.id) == []
        await _grow_older(unit, UNUSED_KEPT - timedelta(minutes=1))
        assert await remove_unused_pictures(unit.connection, lumen.id) == []
        await _grow_older(unit, timedelta(minutes=1))
        assert await remove_unused_pictures(unit.connection, lumen.id) == [unused]
        assert await load_asset(unit.connection, lumen.id, unused) is None
        # What a draft names no more begins its thirty days now, however old it is.
        await replace_draft(unit.connection, lumen.id, Configuration(), "a test")
        assert await remove_unused_pictures(unit.connection, lumen.id) == []
        await _grow_older(unit, UNUSED_KEPT)
        assert await remove_unused_pictures(unit.connection, lumen.id) == [drafted]
    async with db.unit(volta.id) as unit:
        assert await load_asset(unit.connection, volta.id, others) is not None


async def test_a_picture_that_is_sent_again_or_named_again_stays(
    db: Database, lumen: Tenant
) -> None:
    async with db.unit(lumen.id) as unit:
        picture = await store_asset(unit.connection, lumen.id, PNG, "image/png")
        await remove_unused_pictures(unit.connection, lumen.id)
        await _grow_older(unit, UNUSED_KEPT)
        await store_asset(unit.connection, lumen.id, PNG, "image/png")
        assert await remove_unused_pictures(unit.connection, lumen.id) == []
        await _grow_older(unit, UNUSED_KEPT)
        draft = Configuration(branding=Branding(favicon=picture))
        await replace_draft(unit.connection, lumen.id, draft, "a test")
        assert await remove_unused_pictures(unit.connection, lumen.id) == []
