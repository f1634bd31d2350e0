"""The page that names every field of a configuration: `python -m tests.console.field_table`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from guichet.console.publishing.document_schema import document_schema
from guichet.console.publishing.labels import LABELS, SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"

_HEAD = """# Every field of a configuration

What *Import and export* and `guichet tenant publish` read, and what the console says to programs at
`/configuration.schema.json`. Whatever is not required may be left out. `[]` stands for a place in a
list, `<language>` for `en` or `fr`. Each heading names the console's page; what they are for
is in [the guide](merchant.md).

This page is made from the code by `python -m tests.console.field_table`, and a test compares them.
"""
_WORDS = {"boolean": "true or false", "integer": "whole number", "number": "number"}


def field_table() -> str:
    """The whole page."""
    schema = json.loads(document_schema())
    (root,) = (it for name, it in schema["$defs"].items() if name == "Configuration")
    parts = [_HEAD]
    for name, node in root["properties"].items():
        section = SECTIONS[name]
        parts.append(f"## `{name}`: {section.heading}, `{section.path}`\n")
        parts.append("| field | | what it may be | otherwise |\n|---|---|---|---|")
        rows = _rows(name, node, schema["$defs"])
        parts.append("".join(f"| {' | '.join(row)} |\n" for row in rows))
    return "\n".join(parts)


def fields() -> list[str]:
    """The path of every field."""
    schema = json.loads(document_schema())
    properties = schema["$defs"]["Configuration"]["properties"]
    return [
        path.strip("`")
        for name, node in properties.items()
        for path, *_ in _rows(name, node, schema["$defs"])
    ]


def _rows(path: str, node: dict[str, Any], parts: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Path, label, values and default of each field that has no fields of its own."""
    wanted = _resolve(node, parts)
    items = _resolve(wanted.get("items", {}), parts)
    if "properties" in wanted:
        for name, inner in wanted["properties"].items():
            yield from _rows(f"{path}.{name}", inner, parts)
    elif "properties" in items:
        for name, inner in items["properties"].items():
            is_required = name in items.get("required", ())
            yield from _rows(f"{path}[].{name}", inner | {"is_required": is_required}, parts)
    else:
        default = node.get("default", wanted.get("default"))
        shown = "" if default in ("", None, [], {}) else f"`{json.dumps(default)}`"
        shown = "required" if node.get("is_required") else shown
        yield f"`{path}`", LABELS.get(path, ""), _values(wanted, parts), shown


def _resolve(node: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for, or the one thing besides null that a field may be."""
    chosen = [it for it in node.get("anyOf", ()) if it.get("type") != "null"]
    if len(chosen) == 1:
        return _resolve(chosen[0] | {"nullable": True}, parts)
    if "$ref" in node:
        found: dict[str, Any] = parts[node["$ref"].rpartition("/")[2]]
        return found
    return node


def _values(node: dict[str, Any], parts: dict[str, Any]) -> str:
    """What a plain field may be, in words."""
    if "anyOf" in node:
        return ", ".join(_values(_resolve(it, parts), parts) for it in node["anyOf"])
    if "enum" in node:
        return ", ".join(f"`{it}`" for it in node["enum"] if it is not None)
    if node.get("type") == "array":
        most = f", {node['maxItems']} at most" if "maxItems" in node else ""
        return f"list of: {_values(_resolve(node.get('items', {}), parts), parts)}{most}"
    if node.get("type") == "object":
        return f"by `<language>`: {_values(_resolve(node['additionalProperties'], parts), parts)}"
    if node.get("type") == "string":
        most = f" of {node['maxLength']} letters at most" if "maxLength" in node else ""
        return f"text{most}"
    low, high = node.get("minimum"), node.get("maximum")
    bounds = f", {low} to {high}" if low is not None and high is not None else ""
    return f"{_WORDS.get(str(node.get('type')), 'text')}{bounds}"


if __name__ == "__main__":
    PAGE.write_text(field_table())
