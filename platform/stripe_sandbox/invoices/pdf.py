"""A PDF of one page of text: enough of ISO 32000 for an invoice, in Helvetica."""

from typing import NamedTuple

PAGE_WIDTH, PAGE_HEIGHT = 595, 842


class Words(NamedTuple):
    """A piece of text; x and y in points from the lower left corner of an A4 page."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    right_aligned: bool = False


# Widths of Helvetica's digits and punctuation in thousandths of its size; letters are taken at
# their average, which is near enough for aligning amounts.
_NARROW = dict.fromkeys(" .,:;!'|ijl", 278)
_AVERAGE = 556


def text_width(text: str, size: float) -> float:
    """How wide a text is, in points."""
    return sum(_NARROW.get(letter, _AVERAGE) for letter in text) * size / 1000


def one_page(words: list[Words], title: str) -> bytes:
    """The file. Characters that Windows-1252 lacks become question marks."""
    content = b"\n".join(_drawn(each) for each in words)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources "
        b"<< /Font << /F1 5 0 R /F2 6 0 R >> >> >>" % (PAGE_WIDTH, PAGE_HEIGHT),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        _font(b"Helvetica"),
        _font(b"Helvetica-Bold"),
        b"<< /Title (%s) /Producer (stripe_sandbox) >>" % _escaped(title),
    ]
    return _assembled(objects)


def _font(name: bytes) -> bytes:
    return b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % name


def _drawn(words: Words) -> bytes:
    x = words.x - text_width(words.text, words.size) if words.right_aligned else words.x
    font = b"F2" if words.bold else b"F1"
    return b"BT /%s %.1f Tf %.2f %.2f Td (%s) Tj ET" % (
        font,
        words.size,
        x,
        words.y,
        _escaped(words.text),
    )


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _assembled(objects: list[bytes]) -> bytes:
    """Header, numbered objects, the table of their offsets, and the trailer."""
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return file + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, table, size, len(objects), len(file))
    )
