"""SVG pictures: shapes and text only, since a browser could run one that holds more."""

import re
import xml.etree.ElementTree as ElementTree

from tenants.unusable_pictures import (
    ATTRIBUTE,
    DECLARES,
    ELEMENT,
    MALFORMED,
    NO_SVG,
    NOT_UTF_8,
    REFERENCE,
    STYLE,
    UnusablePicture,
)

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = """
svg g defs symbol use title desc metadata path rect circle ellipse line polyline polygon text
tspan textPath linearGradient radialGradient stop clipPath mask pattern marker filter style switch
feGaussianBlur feOffset feMerge feMergeNode feBlend feColorMatrix feComposite feFlood feDropShadow
"""
_DRAWN = frozenset(_ELEMENTS.split())
_DECLARATIONS = re.compile(
    r"<!DOCTYPE|<!ENTITY|<\?xml-|encoding\s*=\s*['\"](?!utf-8['\"])", re.IGNORECASE
)
# A reference leads inside the same picture; anything else could fetch or run.
_OUTSIDE = re.compile(
    r"url\(\s*['\"]?(?!\s*#)|@import|image-set\(|src\(|expression\(|javascript:|-moz-binding|\\",
    re.IGNORECASE,
)
_LONGEST_NAME = 40


def check_svg(body: bytes) -> None:
    """Raises `UnusablePicture` with what is wrong."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusablePicture(NOT_UTF_8) from None
    # Entities are declared in a DOCTYPE only, so without one the parser has nothing to expand.
    # An encoding beside UTF-8 would have the browser read other characters than those checked.
    if _DECLARATIONS.search(text):
        raise UnusablePicture(DECLARES)
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - there is no DOCTYPE, see above.
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise UnusablePicture(MALFORMED) from None
    if root.tag != f"{_NAMESPACE}svg":
        raise UnusablePicture(NO_SVG)
    for element in root.iter():
        _check_element(element)


def _check_element(element: "ElementTree.Element[str]") -> None:
    name = element.tag.removeprefix(_NAMESPACE)
    # Editors leave elements of their own namespaces in metadata; browsers draw none of them.
    if "{" in name and "{http://www.w3.org/" not in name:
        return
    if name not in _DRAWN:
        raise UnusablePicture(ELEMENT, name=name.rpartition("}")[2][:_LONGEST_NAME])
    if name == "style" and _OUTSIDE.search(element.text or ""):
        raise UnusablePicture(STYLE)
    for key, value in element.attrib.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on") or attribute == "base" or _OUTSIDE.search(value):
            raise UnusablePicture(ATTRIBUTE, name=attribute[:_LONGEST_NAME])
        if attribute == "href" and not value.strip().startswith("#"):
            raise UnusablePicture(REFERENCE)
