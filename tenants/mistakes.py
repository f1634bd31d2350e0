"""A mistake in a merchant's configuration: where it is, and what to write instead."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Mistake(NamedTuple):
    """What is wrong, and where: a path such as `plans[2].price_id`, empty for the whole.

    `text` is an English sentence with places for `values`, as `%` takes them, and the msgid of
    its translations.
    """

    path: str
    text: str
    values: Mapping[str, object] = MappingProxyType({})

    @property
    def english(self) -> str:
        """The sentence with its values."""
        return self.text % self.values


ONE_OF = _("Choose one of: %(choices)s.")
BETWEEN = _("Write a whole number from %(least)s to %(most)s.")
NUMBERS_BETWEEN = _("Write numbers from %(least)s to %(most)s, with commas between them.")
WHOLE_NUMBER = _("Write a whole number.")
TOO_LONG = _("Write %(most)s characters at most, in one line.")
TOO_MANY = _("There may be %(most)s at most.")
YES_OR_NO = _("Choose yes or no.")
UNUSABLE = _("This cannot be used here.")
NOT_AN_OBJECT = _("This is not an object.")
UNKNOWN_FIELD = _("There is no such field.")
MISSING = _("This is missing.")
