"""Windows icons, as browsers' tabs once wanted them: the largest picture in one, as a PNG.

The file's own claims are looked at before anything is decoded: an icon's picture may say of itself
that it is larger than its place in the file does.
"""

import io
import struct
from typing import NamedTuple

from PIL import Image

from tenants.unusable_pictures import DAMAGED, UnusablePicture

#: What browsers and systems call such a file.
ICON_TYPES = frozenset({"image/x-icon", "image/vnd.microsoft.icon"})

_MAGIC = b"\x00\x00\x01\x00"
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD = struct.Struct("<4sH")
#: Width, height, colours, nothing, planes, bits a pixel, bytes and offset.
_ENTRY = struct.Struct("<BBBBHHII")
#: Its own length, width, height of picture and mask together, planes, bits a pixel, compression.
_BITMAP = struct.Struct("<IiiHHI")
_MOST_PICTURES = 64
_LARGEST_EDGE = 256


class _Entry(NamedTuple):
    edge: int
    bits: int
    body: bytes
    raw: tuple[int, ...]


def is_icon(body: bytes) -> bool:
    """Whether these bytes begin like a Windows icon."""
    return body[:4] == _MAGIC


def png_of_icon(body: bytes) -> bytes:
    """The largest picture of an icon as a PNG, which is not checked yet.

    Raises `UnusablePicture`.
    """
    try:
        entry = max(_entries(body), key=lambda it: (it.edge, it.bits))
        return entry.body if entry.body.startswith(_PNG) else _draw(entry)
    except UnusablePicture:
        raise
    # Decoders fail in many ways on bytes that were made to have them fail.
    except Exception:
        raise UnusablePicture(DAMAGED) from None


def _entries(body: bytes) -> list[_Entry]:
    _, count = _HEAD.unpack_from(body)
    if not 1 <= count <= _MOST_PICTURES:
        raise UnusablePicture(DAMAGED)
    entries = []
    for place in range(count):
        raw = _ENTRY.unpack_from(body, _HEAD.size + place * _ENTRY.size)
        size, offset = raw[6:]
        # A zero stands for 256.
        entries.append(_Entry(raw[0] or _LARGEST_EDGE, raw[5], body[offset : offset + size], raw))
    return entries


def _draw(entry: _Entry) -> bytes:
    """An uncompressed bitmap with its mask, in a file where nothing else is."""
    _, width, height, _, _, compression = _BITMAP.unpack_from(entry.body)
    is_small = 0 < width <= _LARGEST_EDGE and 0 < height <= 2 * _LARGEST_EDGE
    if not is_small or compression:
        raise UnusablePicture(DAMAGED)
    start = _HEAD.size + _ENTRY.size
    head = _HEAD.pack(_MAGIC, 1) + _ENTRY.pack(*entry.raw[:6], len(entry.body), start)
    drawn = io.BytesIO()
    with Image.open(io.BytesIO(head + entry.body), formats=("ICO",)) as image:
        image.convert("RGBA").save(drawn, "PNG")
    return drawn.getvalue()
