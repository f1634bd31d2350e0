"""Why a picture is refused, as sentences for whoever sent it."""

from tenants.errors import TenantsError


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class UnusablePicture(TenantsError):
    """Not a picture that a portal can show; the text is a msgid with places for the values."""

    def __init__(self, text: str, **values: object) -> None:
        self.text = text
        self.values = values
        super().__init__(text % values)


EMPTY = _("This file is empty.")
TOO_MANY_BYTES = _("A picture has %(most)s KiB at most.")
UNKNOWN = _("This is no picture. Send an SVG, PNG, JPEG, WebP or ICO file.")
NOT_AS_SAID = _("This is not the kind of picture that its name says.")
TOO_MANY_PIXELS = _(
    "A picture has %(edge)s pixels at most along each side, and %(most)s million in all."
)
MOVES = _("A picture that moves is not taken.")
DAMAGED = _("This picture is damaged.")
NOT_UTF_8 = _("An SVG is written in UTF-8.")
DECLARES = _("An SVG with a DOCTYPE, an entity or a style sheet of its own is not taken.")
MALFORMED = _("This SVG is not well-formed.")
NO_SVG = _("An SVG begins with the element “svg” in SVG's own namespace.")
ELEMENT = _("This SVG holds “%(name)s”, which could run or load something.")
STYLE = _("The style in this SVG refers to something outside of the picture.")
ATTRIBUTE = _("This SVG holds the attribute “%(name)s”, which could run or load something.")
REFERENCE = _("This SVG refers to something outside of the picture.")
