"""The table of ASVS requirements: each says how it stands, and a test shows what is met."""

import re
from typing import NamedTuple

import pytest

from tests.test_docs import ROOT

_DOCUMENT = ROOT / "docs" / "security.md"
_STANDS = {"met", "partly", "not met", "outside", "none"}
#: A requirement, or a whole section, of version 5.0.
_NUMBER = re.compile(r"(1[0-7]|[1-9])(\.[1-9]\d?){0,2}")
_CHAPTERS = range(1, 18)


class Row(NamedTuple):
    """One line of the table."""

    numbers: str
    asked: str
    stands: str
    how: str
    tests: str


def rows() -> list[Row]:
    """The table's lines, in their order."""
    _, _, section = _DOCUMENT.read_text().partition("## OWASP ASVS")
    section = section.split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [Row(*it) for it in cells[2:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.numbers)
def test_a_requirement_says_how_it_stands_and_what_shows_it(row: Row) -> None:
    assert row.stands in _STANDS
    named = re.findall(r"`([^`]+)`", row.tests)
    assert named or row.stands != "met"
    assert row.how != "–" or row.stands == "none"
    assert [path for path in named if not (ROOT / path).is_file()] == []
    for number in re.split(r", | to ", row.numbers):
        assert _NUMBER.fullmatch(number), number


def test_each_chapter_has_its_rows_in_order_and_none_is_twice() -> None:
    numbers = [re.split(r", | to ", row.numbers) for row in rows()]
    firsts = [tuple(map(int, each[0].split("."))) for each in numbers]
    assert {first[0] for first in firsts} == {*_CHAPTERS}
    assert [it[0] for it in firsts] == sorted(it[0] for it in firsts)
    everything = [number for each in numbers for number in each]
    assert len(everything) == len(set(everything))
