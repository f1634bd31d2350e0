"""Pictures of a merchant's branding: which bytes are taken for one, and what is kept of them.

A picture is served from the portal's own origin. One made of pixels is recognised by its content,
measured before it is decoded, and drawn anew, so that nothing but its pixels is kept: no place
where it was taken, no second file behind the first. A Windows icon becomes a PNG. An SVG is kept as
it is, so it holds shapes and text only.
"""

import io
from typing import NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from tenants.icons import ICON_TYPES, is_icon, png_of_icon
from tenants.svg import check_svg
from tenants.unusable_pictures import (
    DAMAGED,
    EMPTY,
    MOVES,
    NOT_AS_SAID,
    TOO_MANY_BYTES,
    TOO_MANY_PIXELS,
    UNKNOWN,
    UnusablePicture,
)

#: In bytes, as sent and as kept. The same as the check of the table.
LARGEST_PICTURE = 512 * 1024

_SVG = "image/svg+xml"
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_LONGEST_EDGE = 4096
_MOST_PIXELS = 12_000_000
# A progressive JPEG is decoded anew for each of its scans, and each costs a few bytes only.
_MOST_SCANS = 40
_SCAN = b"\xff\xda"
_JPEG_QUALITY = 90


class Picture(NamedTuple):
    """A picture as it is kept and served."""

    body: bytes
    media_type: str


def read_picture(body: bytes, media_type: str = "") -> Picture:
    """The picture in these bytes, of this media type where one is given.

    Decoding takes up to a second of the processor and 100 MiB: a server does it beside its loop.
    Raises `UnusablePicture` with what is wrong.
    """
    if not body:
        raise UnusablePicture(EMPTY)
    if len(body) > LARGEST_PICTURE:
        raise UnusablePicture(TOO_MANY_BYTES, most=LARGEST_PICTURE // 1024)
    if _looks_like_svg(body):
        check_svg(body)
        picture = Picture(body, _SVG)
    else:
        picture = _read_pixels(png_of_icon(body) if is_icon(body) else body)
    said = "image/png" if media_type in ICON_TYPES and is_icon(body) else media_type
    if said and said != picture.media_type:
        raise UnusablePicture(NOT_AS_SAID)
    return picture


def _looks_like_svg(body: bytes) -> bool:
    """Whether it is text with an element; UTF-16 is too, to be told that it should be UTF-8."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or body[:2] in (
        b"\xff\xfe",
        b"\xfe\xff",
    )


def _read_pixels(body: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(body), formats=tuple(_MEDIA_TYPES)) as image:
            # The second pictures of a phone's JPEG are left behind with all else.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            _check_header(body, image, kind)
            drawn = _draw_anew(image, kind, lossless=b"VP8L" in body)
    except UnusablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except UnidentifiedImageError:
        raise UnusablePicture(UNKNOWN) from None
    # Decoders fail in many ways on bytes that were made to have them fail.
    except Exception:
        raise UnusablePicture(DAMAGED) from None
    if len(drawn) > LARGEST_PICTURE:
        raise UnusablePicture(TOO_MANY_BYTES, most=LARGEST_PICTURE // 1024)
    return Picture(drawn, _MEDIA_TYPES[kind])


def _check_header(body: bytes, image: Image.Image, kind: str) -> None:
    """What can be known before a pixel is decoded."""
    if max(image.size) > _LONGEST_EDGE or image.width * image.height > _MOST_PIXELS:
        raise _too_many_pixels()
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise UnusablePicture(MOVES)
    if kind == "JPEG" and body.count(_SCAN) > _MOST_SCANS:
        raise UnusablePicture(DAMAGED)


def _draw_anew(image: Image.Image, kind: str, *, lossless: bool) -> bytes:
    """The pixels alone, upright, as a file of the same kind."""
    upright = ImageOps.exif_transpose(image)
    has_alpha = kind != "JPEG" and upright.has_transparency_data
    pixels = upright.convert("RGBA" if has_alpha else "RGB")
    # Metadata stands in `info`, and some savers write what they find there.
    pixels.info.clear()
    drawn = io.BytesIO()
    match kind:
        case "PNG":
            pixels.save(drawn, "PNG")
        case "JPEG":
            pixels.save(drawn, "JPEG", quality=_JPEG_QUALITY, progressive=False)
        case _:
            pixels.save(drawn, "WEBP", lossless=lossless, quality=_JPEG_QUALITY)
    return drawn.getvalue()


def _too_many_pixels() -> UnusablePicture:
    return UnusablePicture(TOO_MANY_PIXELS, edge=_LONGEST_EDGE, most=_MOST_PIXELS // 1_000_000)
