"""Small real pictures for tests."""

import io

from PIL import Image


def draw(kind: str = "PNG", size: tuple[int, int] = (3, 2), mode: str = "RGB") -> bytes:
    """A plain picture of this kind, as Pillow names it."""
    file = io.BytesIO()
    Image.new(mode, size, "teal" if mode in ("RGB", "RGBA") else 1).save(file, kind)
    return file.getvalue()


PNG = draw()
