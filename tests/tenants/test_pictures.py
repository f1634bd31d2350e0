"""Which bytes are taken for a picture, and what is kept of them."""

import contextlib
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tenants.pictures import LARGEST_PICTURE, read_picture
from tenants.unusable_pictures import UnusablePicture
from tests.drawn_pictures import PNG, draw

_SVG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- drawn by hand -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  xmlns:ink="http://www.inkscape.org/ns" viewBox="0 0 1 1">
<metadata><ink:page>1</ink:page></metadata><style>.a{fill:url(#g)}</style>
<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs>
<path class="a" fill="url(#g)" d="M0 0"/><use xlink:href="#g"/>%s</svg>"""


def _svg(content: str) -> bytes:
    return (_SVG % content).encode()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (PNG, "image/png"),
        (draw("PNG", mode="RGBA"), "image/png"),
        (draw("PNG", mode="P"), "image/png"),
        (draw("PNG", mode="1"), "image/png"),
        (draw("PNG", mode="I;16"), "image/png"),
        (draw("PNG", (4096, 2900)), "image/png"),
        (draw("JPEG"), "image/jpeg"),
        (draw("JPEG", mode="CMYK"), "image/jpeg"),
        (draw("WEBP"), "image/webp"),
        (_svg(""), "image/svg+xml"),
        (b"\xef\xbb\xbf" + _svg(""), "image/svg+xml"),
    ],
)
def test_pictures_are_recognised_by_their_content(body: bytes, media_type: str) -> None:
    assert read_picture(body).media_type == media_type
    assert read_picture(body, media_type).media_type == media_type


@pytest.mark.parametrize("form", ["png", "bmp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "1"])
def test_the_largest_picture_of_an_icon_is_kept_as_png(form: str, mode: str) -> None:
    file = io.BytesIO()
    drawn = Image.new(mode, (64, 64), "teal" if mode.startswith("RGB") else 1)
    drawn.save(file, "ICO", sizes=[(16, 16), (64, 64), (32, 32)], bitmap_format=form)
    body = file.getvalue()
    for said in ("", "image/x-icon", "image/vnd.microsoft.icon"):
        assert read_picture(body, said).media_type == "image/png"
    with Image.open(io.BytesIO(read_picture(body).body)) as kept:
        assert (kept.format, kept.size) == ("PNG", (64, 64))


def _icon(picture: bytes, count: int = 1, offset: int = 22, bits: int = 32) -> bytes:
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, bits, len(picture), offset)
    return b"\x00\x00\x01\x00" + struct.pack("<H", count) + entry + picture


def _bitmap(width: int, height: int, compression: int = 0) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 32, compression, 0, 0, 0, 0, 0)
    return head + bytes(2000)


def test_an_icon_of_256_colours_is_drawn_with_them() -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 8, 0, 0, 0, 0, 256, 0)
    blue, pixels, mask = struct.pack("<BBBB", 200, 10, 20, 0), bytes(16 * 16), bytes(16 * 4)
    body = _icon(head + 256 * blue + pixels + mask, bits=8)
    with Image.open(io.BytesIO(read_picture(body).body)) as kept:
        assert kept.convert("RGB").getpixel((3, 3)) == (20, 10, 200)


@pytest.mark.parametrize(
    "body",
    [
        b"\x00\x00\x01\x00",
        _icon(b"", count=0),
        _icon(b"", count=65535),
        _icon(PNG, offset=0),
        _icon(PNG, offset=2**32 - 1),
        _icon(_svg("")),
        _icon(b"\x00\x00\x01\x00" * 20),
        # Larger than its place says, or than it is.
        _icon(_bitmap(60_000, 60_000)),
        _icon(_bitmap(-16, -32)),
        _icon(_bitmap(256, 512)),
        _icon(_bitmap(16, 32, compression=1)),
        _icon(draw("PNG", (5000, 10))),
        _icon(draw("JPEG")),
    ],
)
def test_an_icon_that_is_made_to_do_harm_is_refused(body: bytes) -> None:
    with pytest.raises(UnusablePicture):
        read_picture(body)


@given(st.binary(max_size=200))
def test_no_bytes_of_an_icon_do_more_than_be_refused(content: bytes) -> None:
    with contextlib.suppress(UnusablePicture):
        assert read_picture(_icon(content)).media_type == "image/png"
    with contextlib.suppress(UnusablePicture):
        read_picture(b"\x00\x00\x01\x00" + content)


def test_a_transparent_logo_stays_transparent() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (2, 2), (10, 20, 30, 0)).save(file, "PNG")
    with Image.open(io.BytesIO(read_picture(file.getvalue()).body)) as kept:
        assert kept.getpixel((0, 0)) == (10, 20, 30, 0)


def _marks() -> PngInfo:
    marks = PngInfo()
    marks.add_text("Author", "Ada Lovelace")
    return marks


@pytest.mark.parametrize(
    ("kind", "more"),
    [("PNG", {"pnginfo": _marks()}), ("JPEG", {"comment": "Ada Lovelace"}), ("WEBP", {})],
)
def test_nothing_but_pixels_is_kept(kind: str, more: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Ada Lovelace"
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, kind, exif=exif, icc_profile=b"Ada Lovelace", **more)
    body = file.getvalue() + b"<script>Ada Lovelace</script>"
    assert b"Ada Lovelace" not in read_picture(body).body


def test_a_photograph_is_kept_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (8, 2)).save(file, "JPEG", exif=exif)
    with Image.open(io.BytesIO(read_picture(file.getvalue()).body)) as kept:
        assert kept.size == (2, 8)


def _animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def _claiming(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it is that large."""
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return PNG[:8] + b"\0\0\0\r" + header + zlib.crc32(header).to_bytes(4) + PNG[33:]


def _of_many_scans() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG", progressive=True)
    return file.getvalue()[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 50 + b"\xff\xd9"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (PNG.ljust(LARGEST_PICTURE + 1, b"\0"), "512 KiB"),
        (b"GIF89a", "no picture"),
        (draw("GIF"), "no picture"),
        (draw("BMP"), "no picture"),
        (b"%PDF-1.7", "no picture"),
        (PNG[:20], "no picture|damaged"),
        (PNG[:50], "no picture|damaged"),
        (draw("JPEG")[:-60], "damaged"),
        (_animated("PNG"), "moves"),
        (_animated("WEBP"), "moves"),
        (_claiming(4097, 1), "4096 pixels"),
        (_claiming(4096, 4096), "12 million"),
        (_claiming(12_000, 12_000), "4096 pixels"),
        (_claiming(2**31 - 1, 2**31 - 1), "4096 pixels"),
        (_of_many_scans(), "damaged"),
        (b"<html>", "SVG"),
        (b"<svg/>", "SVG's own namespace"),
        (b"<html xmlns='http://www.w3.org/2000/svg'/>", "begins with"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "well-formed"),
        (_svg("").decode().encode("utf-16"), "UTF-8"),
        (b"<!DOCTYPE svg [<!ENTITY a 'a'>]>" + _svg(""), "DOCTYPE"),
        (b"<?xml-stylesheet href='//evil.example'?>" + _svg(""), "DOCTYPE"),
        (_svg("").replace(b"UTF-8", b"UTF-7"), "DOCTYPE"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 90_000, "well-formed"),
    ],
)
def test_what_is_no_usable_picture_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason):
        read_picture(body)


def test_a_picture_of_another_kind_than_its_name_says_is_refused() -> None:
    with pytest.raises(UnusablePicture, match="its name"):
        read_picture(PNG, "image/jpeg")


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
        "<path style='background:image-set(\"//evil.example\" 1x)'/>",
        "<g xml:base='https://evil.example/'/>",
        "<feImage href='//evil.example'/>",
        "<g xml:base='#'/>",
    ],
)
def test_an_svg_that_acts_or_fetches_is_refused(content: str) -> None:
    with pytest.raises(UnusablePicture, match=r"could run or load|outside of the picture"):
        read_picture(_svg(content))


@given(st.binary(max_size=300), st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(0, 200))
def test_no_bytes_make_anything_but_a_picture_or_a_refusal(
    noise: bytes, kind: str, place: int
) -> None:
    body = draw(kind)
    with contextlib.suppress(UnusablePicture):
        kept = read_picture(body[:place] + noise + body[place + len(noise) :])
        assert kept.media_type.startswith("image/")
