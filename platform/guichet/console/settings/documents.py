"""Forms whose field names are the paths of the configuration's document.

A field is called what a mistake calls its place, such as `branding.light.accent` or
`plans[2].quantity_max`, so each mistake finds its field, and a setting needs a field in its page's
template and nothing else. What a browser leaves out is told by the type: an unticked box is false,
an empty field is absent.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec

from guichet.web.forms import Form
from tenants.configuration import Configuration
from tenants.mistakes import Mistake
from tenants.shapes import items_of, misfits

_SPLIT = re.compile(r"[,;\s]+")
_INDEXED = re.compile(r"\[([0-9]+)\]")
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Configuration)}


class Entered(msgspec.Struct, frozen=True):
    """What somebody has entered of one section."""

    #: The section's value, or None where it has mistakes.
    value: Any
    mistakes: tuple[Mistake, ...]
    #: What was entered, field by field, with the rows of tables counted anew as `mistakes` do.
    fields: dict[str, str]


def place_in_form(path: str, form: Form) -> str:
    """Where a form has what is wrong at a path of the document.

    Rows that were left empty are none in the document, and are still there on the page.
    """
    found = ""
    for order, part in enumerate(_INDEXED.split(path)):
        if order % 2:
            kept = [it for it in _places(found, form) if _is_filled(f"{found}[{it}]", form)]
            found += f"[{kept[int(part)]}]" if int(part) < len(kept) else f"[{part}]"
        else:
            found += part
    return found


def _is_filled(row: str, form: Form) -> bool:
    return any(text.strip() for name, text in form.items() if name.startswith(f"{row}."))


def read_section(section: str, form: Form) -> Entered:
    """The section as its page's form gives it, or every mistake of its shape."""
    wanted = _TYPES[section]
    # Browsers send the lines of a text area with the ends that the standard of forms asks for.
    plain = {name: text.replace("\r\n", "\n") for name, text in form.items()}
    value = _gather(wanted, section, plain)
    mistakes = tuple(misfits(value, wanted, section, strict=False))
    fields = dict(_spread(section, value))
    if mistakes:
        return Entered(None, mistakes, fields)
    return Entered(msgspec.convert(value, wanted, strict=False), (), fields)


def fields_of(section: str, value: Any) -> dict[str, str]:
    """The section's fields as a form sends them, for showing what is there."""
    return dict(_spread(section, msgspec.to_builtins(_complete(value))))


def _complete(value: Any) -> Any:
    """Also what a document leaves out because it is the default."""
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: _complete(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
        }
    if isinstance(value, tuple):
        return [_complete(item) for item in value]
    return value


def _spread(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _spread(f"{path}.{name}", inner)
    elif isinstance(value, list):
        if value and isinstance(value[0], Mapping):
            for place, inner in enumerate(value):
                yield from _spread(f"{path}[{place}]", inner)
        else:
            # A page may ask for a list in one field, or with a box for each choice.
            yield path, ", ".join(map(_written, value))
            yield from ((f"{path}[{it}]", "on") for it in value)
    elif value is True:
        yield path, "on"
    elif value is not None and value is not False:
        yield path, _written(value)


def _written(value: Any) -> str:
    """As a person writes it: eight days are no `8.0`."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _gather(wanted: Any, path: str, form: Form) -> Any:
    """The value at a path as JSON, with numbers still as texts."""
    if hasattr(wanted, "__metadata__"):
        return _gather_plain(wanted, path, form)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return _gather_struct(wanted, path, form)
    return _gather_plain(wanted, path, form)


def _gather_struct(wanted: type[msgspec.Struct], path: str, form: Form) -> dict[str, Any]:
    gathered = {}
    for field in msgspec.structs.fields(wanted):
        value = _gather(field.type, f"{path}.{field.encode_name}", form)
        if value is not None:
            gathered[field.encode_name] = value
    return gathered


def _gather_plain(wanted: Any, path: str, form: Form) -> Any:
    items = items_of(wanted)
    if items is not None:
        return _gather_items(items, path, form)
    if wanted is bool:
        return path in form
    if get_origin(wanted) is dict:
        prefix = f"{path}."
        given = {
            name.removeprefix(prefix): text.strip()
            for name, text in form.items()
            if name.startswith(prefix)
        }
        return {name: text for name, text in given.items() if text}
    text = form.get(path, "").strip()
    # An empty text is one; an empty number is none, and the type says whether that may be.
    return text if text or _is_text(wanted) else None


def _is_text(wanted: Any) -> bool:
    return wanted is str or (hasattr(wanted, "__metadata__") and get_args(wanted)[0] is str)


def _gather_items(items: Any, path: str, form: Form) -> list[Any]:
    if isinstance(items, type) and issubclass(items, msgspec.Struct):
        rows = (_gather_struct(items, f"{path}[{place}]", form) for place in _places(path, form))
        # A row that was left empty, as the last one of a table is, is none.
        return [row for row in rows if any(it not in ("", False, {}, []) for it in row.values())]
    if path in form:
        return [text for text in _SPLIT.split(form[path].strip()) if text]
    chosen = re.compile(rf"{re.escape(path)}\[([^\[\]]+)\]")
    found = [match[1] for name in form if (match := chosen.fullmatch(name))]
    # Boxes have no order of their own, and what reads a form keeps none either.
    if get_origin(items) is Literal:
        known = [value for value in get_args(items) if value in found]
        return known + sorted(set(found) - set(known))
    return sorted(found, key=lambda it: (len(it), it) if it.isdigit() else (0, it))


def _places(path: str, form: Form) -> list[int]:
    """The rows of a table that the form has, in the order of their numbers."""
    place = re.compile(rf"{re.escape(path)}\[([0-9]{{1,4}})\]\.")
    return sorted({int(found[1]) for name in form if (found := place.match(name))})
