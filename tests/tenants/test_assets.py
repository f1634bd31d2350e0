"""Pictures: kept once by content, and none that a browser could run."""

import pytest

from guichet.db import Database
from tenants.assets import load_asset, store_asset
from tenants.pictures import LARGEST_PICTURE, UnusablePicture, check_picture
from tenants.tenant import Tenant

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
_SVG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- drawn by hand -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  xmlns:ink="http://www.inkscape.org/ns" viewBox="0 0 1 1">
<metadata><ink:page>1</ink:page></metadata><style>.a{fill:url(#g)}</style>
<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs>
<path class="a" fill="url(#g)" d="M0 0"/><use xlink:href="#g"/>%s</svg>"""


async def test_a_picture_is_read_back_by_the_hash_of_its_bytes(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.unit(lumen.id) as unit:
        ids = [await store_asset(unit.connection, lumen.id, _PNG, "image/png") for _ in "ab"]
        asset = await load_asset(unit.connection, lumen.id, ids[0])
    assert ids[0] == ids[1]
    assert len(ids[0]) == 64
    assert asset is not None
    assert (asset.body, asset.media_type) == (_PNG, "image/png")
    async with db.unit(volta.id) as unit:
        assert await load_asset(unit.connection, volta.id, ids[0]) is None
        assert await load_asset(unit.connection, lumen.id, ids[0]) is None


async def test_an_unusable_picture_is_not_kept(db: Database, lumen: Tenant) -> None:
    async with db.unit(lumen.id) as unit:
        with pytest.raises(UnusablePicture):
            await store_asset(unit.connection, lumen.id, b"GIF89a", "image/gif")
        assert await unit.fetchval("select count(1) from assets") == 0


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (_PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(9), "image/jpeg"),
        (b"RIFF\n\x00\x00\x00WEBPVP8 ", "image/webp"),
        ((_SVG % "").encode(), "image/svg+xml"),
        (b"\xef\xbb\xbf" + (_SVG % "").encode(), "image/svg+xml"),
        (_PNG.ljust(LARGEST_PICTURE, b"\0"), "image/png"),
    ],
)
def test_pictures_that_browsers_draw_are_taken(body: bytes, media_type: str) -> None:
    check_picture(body, media_type)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "image/png"),
        (_PNG.ljust(LARGEST_PICTURE + 1, b"\0"), "image/png"),
        (_PNG, "image/jpeg"),
        (b"<html>", "image/png"),
        (_PNG, "text/html"),
        (_PNG, "image/svg+xml"),
        (b"<svg/>", "image/svg+xml"),
        (b"<html xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
        ((_SVG % "").encode("utf-16"), "image/svg+xml"),
        (b"<!DOCTYPE svg [<!ENTITY a 'a'>]>" + b"<svg/>", "image/svg+xml"),
        (b"<?xml-stylesheet href='//evil.example'?>" + (_SVG % "").encode(), "image/svg+xml"),
        ((_SVG % "").replace("UTF-8", "UTF-7").encode(), "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 90_000, "image/svg+xml"),
    ],
)
def test_what_is_not_the_picture_it_says_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(UnusablePicture):
        check_picture(body, media_type)


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<g onload='alert(1)'/>",
        "<g ONCLICK='alert(1)'/>",
        "<a href='javascript:alert(1)'><path/></a>",
        "<use href='//evil.example/x.svg#a'/>",
        "<use xlink:href='data:image/svg+xml,x'/>",
        "<image href='https://evil.example/pixel'/>",
        "<foreignObject><b/></foreignObject>",
        "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>1</x:script>",
        "<script xmlns=''>1</script>",
        "<animate attributeName='href'/>",
        "<set attributeName='onload'/>",
        "<style>@import 'https://evil.example'</style>",
        "<style>a{fill:url( 'https://evil.example')}</style>",
        "<style>a{fill:u\\72l(https://evil.example)}</style>",
        "<path style='fill:url(https://evil.example)'/>",
        "<path fill='url(//evil.example)'/>",
    ],
)
def test_an_svg_that_acts_or_fetches_is_refused(content: str) -> None:
    with pytest.raises(UnusablePicture):
        check_picture((_SVG % content).encode(), "image/svg+xml")
