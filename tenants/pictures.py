"""Pictures of a merchant's branding: which bytes are taken for one.

A picture is served from the portal's own origin, so one that a browser could run is refused: the
format must be what it says it is, and an SVG holds shapes and text only.
"""

import re
import xml.etree.ElementTree as ElementTree

from tenants.errors import TenantsError

#: The same as the check of the table.
LARGEST_PICTURE = 512 * 1024

_SVG = "image/svg+xml"
# PNG: ISO/IEC 15948 section 5.2; JPEG: ISO/IEC 10918-1 annex B; WebP: RFC 9649 section 2.4.
_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"
_SVG_ELEMENTS = """
svg g defs symbol use title desc metadata path rect circle ellipse line polyline polygon text
tspan textPath linearGradient radialGradient stop clipPath mask pattern marker filter style switch
feGaussianBlur feOffset feMerge feMergeNode feBlend feColorMatrix feComposite feFlood feDropShadow
"""
_DRAWN = frozenset(_SVG_ELEMENTS.split())
_DECLARATIONS = re.compile(
    r"<!DOCTYPE|<!ENTITY|<\?xml-|encoding\s*=\s*['\"](?!utf-8['\"])", re.IGNORECASE
)
# A reference leads inside the same picture; anything else could fetch or run.
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!\s*#)|@import|javascript:|\\", re.IGNORECASE)


class UnusablePicture(TenantsError):
    """Not a picture that a portal can show."""


def check_picture(body: bytes, media_type: str) -> None:
    """Raises `UnusablePicture` with what is wrong."""
    if not body or len(body) > LARGEST_PICTURE:
        raise UnusablePicture(f"a picture has 1 to {LARGEST_PICTURE // 1024} KiB")
    if media_type == _SVG:
        _check_svg(body)
    elif media_type not in _SIGNATURES:
        raise UnusablePicture(f"a picture is {', '.join([_SVG, *_SIGNATURES])}")
    elif not _SIGNATURES[media_type].match(body):
        raise UnusablePicture(f"these bytes are no {media_type}")


def _check_svg(body: bytes) -> None:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusablePicture("an SVG is written in UTF-8") from None
    # Entities are declared in a DOCTYPE only, so without one the parser has nothing to expand.
    # An encoding beside UTF-8 would have the browser read other characters than those checked.
    if _DECLARATIONS.search(text):
        raise UnusablePicture("an SVG has no DOCTYPE, style sheet or encoding but UTF-8")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - there is no DOCTYPE, see above.
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise UnusablePicture("the SVG is not well-formed") from None
    if root.tag != f"{_SVG_NAMESPACE}svg":
        raise UnusablePicture("the SVG does not begin with svg in SVG's namespace")
    for element in root.iter():
        _check_element(element)


def _check_element(element: "ElementTree.Element[str]") -> None:
    name = element.tag.removeprefix(_SVG_NAMESPACE)
    # Editors leave elements of their own namespaces in metadata; browsers draw none of them.
    if "{" in name and "{http://www.w3.org/" not in name:
        return
    if name not in _DRAWN:
        raise UnusablePicture(f"the SVG holds an element that is not drawn: {name}")
    if name == "style" and _OUTSIDE.search(element.text or ""):
        raise UnusablePicture("the SVG's style refers to something outside of it")
    for key, value in element.attrib.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on") or _OUTSIDE.search(value):
            raise UnusablePicture(f"the SVG holds an attribute that acts: {attribute}")
        if attribute == "href" and not value.strip().startswith("#"):
            raise UnusablePicture("the SVG refers to something outside of it")
