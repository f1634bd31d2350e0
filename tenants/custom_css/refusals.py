"""Why a part of a merchant's CSS is refused, as sentences with a line."""

from tinycss2.ast import Node

from tenants.errors import TenantsError


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class NotAllowed(TenantsError):
    """A part of a sheet that is refused; the text is a msgid with places for the values."""

    def __init__(self, node: Node, text: str, **values: object) -> None:
        self.text = text
        self.values: dict[str, object] = {"line": node.source_line, **values}
        super().__init__(text % self.values)


BROKEN = _("Line %(line)s: this is not CSS. Look for a bracket, a quote or a colon too many.")
AT_RULE = _("Line %(line)s: @%(name)s is not allowed. Only @media and @supports are.")
DEPTH = _("Line %(line)s: conditions or brackets stand too deep in each other.")
CONDITION = _("Line %(line)s: this condition of @%(name)s is not allowed.")
NESTED = _("Line %(line)s: write each rule by itself, not inside of another.")
TOO_MANY_RULES = _("Line %(line)s: there may be %(most)s rules and selectors at most.")
SELECTOR = _("Line %(line)s: “%(part)s” is not allowed in a selector.")
OUTSIDE = _("Line %(line)s: this selector reaches outside of the page.")
ATTRIBUTE = _("Line %(line)s: a selector may not look at the attribute “%(name)s”.")
PROPERTY = _("Line %(line)s: the property “%(name)s” is not allowed.")
FUNCTION = _("Line %(line)s: “%(name)s()” is not allowed. Nothing can be loaded from CSS.")
VALUE = _("Line %(line)s: “%(part)s” is not allowed as a value of “%(name)s”.")
POSITION = _("Line %(line)s: position is static, relative or absolute.")
Z_INDEX = _("Line %(line)s: z-index is a whole number from -%(most)s to %(most)s.")
CONTENT = _("Line %(line)s: content is plain text in quotes.")
