"""The documents name every field of a configuration, once, as the code has it."""

import re

from guichet.console.publishing.labels import LABELS
from tests.console.field_table import PAGE, field_table, fields


def test_the_page_of_fields_is_what_the_code_makes_of_them() -> None:
    assert PAGE.read_text() == field_table(), "run: python -m tests.console.field_table"


def test_every_field_is_named_once_and_called_something() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert named == fields()
    assert len(named) == len(set(named))
    assert [it for it in named if it not in LABELS] == []
