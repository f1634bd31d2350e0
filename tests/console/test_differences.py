"""Changes of a configuration are told in the words of its pages."""

import msgspec

from guichet.console.publishing.differences import differences
from guichet.console.publishing.labels import LABELS, SECTIONS
from guichet.theming.locale import gettext
from tenants.branding import Branding, Link
from tenants.catalog import Plan
from tenants.configuration import Configuration
from tenants.shapes import items_of


def _paths(wanted: object, path: str) -> list[str]:
    items = items_of(wanted)
    if items is not None and isinstance(items, type) and issubclass(items, msgspec.Struct):
        return [path, *_paths(items, f"{path}[]")]
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        below = (
            _paths(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
            for field in msgspec.structs.fields(wanted)
        )
        return [it for paths in below for it in paths]
    return [path]


def test_every_place_of_the_document_has_a_name() -> None:
    assert set(_paths(Configuration, "")) == set(LABELS)
    assert set(SECTIONS) == set(Configuration.__struct_fields__)


def test_things_of_a_list_are_told_by_what_they_are_called() -> None:
    before = Configuration(
        plans=(Plan("p1"), Plan("p2"), Plan("p3")),
        branding=Branding(links=(Link("Terms", "https://lumen.example/terms"),)),
    )
    after = Configuration(
        plans=(Plan("p2", quantity_max=4), Plan("p1"), Plan("p4", hidden=True)),
        branding=Branding(links=(Link("Terms", "https://lumen.example/new"),)),
    )
    names = {"p1": "Team", "p2": "Basic", "p3": "Big", "p4": "Old"}
    found = differences(before, after, gettext("en"), names)
    assert [(it.label, it.before, it.after) for part in found for it in part.changes] == [
        ("Terms: Address", "https://lumen.example/terms", "https://lumen.example/new"),
        ("Plans", "Big", ""),
        ("Basic: Most quantity", "1", "4"),
        ("Plans", "", "Old (Hidden from new customers: on)"),
        ("Order: Plans", "Team, Basic", "Basic, Team"),
    ]
