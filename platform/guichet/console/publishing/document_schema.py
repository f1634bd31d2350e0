"""The JSON Schema of a portal's configuration, made from its types and what people call things."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from guichet.console.publishing.labels import LABELS
from tenants.configuration import Configuration
from tenants.shapes import items_of


@cache
def document_schema() -> bytes:
    """The schema (JSON Schema 2020-12) as indented JSON. It knows no rule between two fields."""
    (root,), components = msgspec.json.schema_components(
        (Configuration,), ref_template="#/$defs/{name}"
    )
    for owner, field, label in _named_fields(Configuration, ""):
        place = components[owner.__name__]["properties"][field]
        # What stands beside a reference counts since draft 2019-09.
        if place.setdefault("description", label) != label:
            # The same type in two places: what it is called there says nothing of it here.
            del place["description"]
    for part in components.values():
        if part.get("type") == "object":
            # A field that nobody knows is a slip of the pen in an import.
            part["additionalProperties"] = part.get("additionalProperties", False)
            part["description"] = _sentence(part.get("description", ""))
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Guichet configuration",
        **root,
        "$defs": components,
    }
    text = msgspec.json.encode(schema).decode()
    # Python's ends of a text, as ECMA-262 spells them, whose expressions JSON Schema has.
    text = text.replace('"\\\\A', '"^').replace('\\\\Z"', '$"')
    return msgspec.json.format(text.encode(), indent=2)


def _named_fields(wanted: Any, pattern: str) -> Iterator[tuple[type[msgspec.Struct], str, str]]:
    """Every field that has a label, with the Struct that it belongs to."""
    items = items_of(wanted)
    if items is not None:
        yield from _named_fields(items, f"{pattern}[]")
    elif isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        for field in msgspec.structs.fields(wanted):
            path = f"{pattern}.{field.encode_name}" if pattern else field.encode_name
            if path in LABELS:
                yield wanted, field.encode_name, LABELS[path]
            yield from _named_fields(field.type, path)


def _sentence(docstring: str) -> str:
    return re.sub(r"\s+", " ", docstring.partition("\n\n")[0]).strip()
