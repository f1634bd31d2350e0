"""Whether a value has the shape of a type, with every place where it has not.

msgspec alone stops at the first place, and says what programs want to know. Here each place gets a
sentence that says what to write, from the type itself.
"""

import itertools
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec.inspect import FloatType, IntType, LiteralType, StrType, Type, UnionType, type_info

from tenants.mistakes import (
    BETWEEN,
    MISSING,
    NOT_AN_OBJECT,
    NUMBERS_BETWEEN,
    ONE_OF,
    TOO_LONG,
    TOO_MANY,
    UNKNOWN_FIELD,
    UNUSABLE,
    WHOLE_NUMBER,
    YES_OR_NO,
    Mistake,
)


def misfits(value: Any, wanted: Any, path: str, *, strict: bool = True) -> Iterator[Mistake]:
    """Where a value of JSON has not the shape of the type `wanted`, a Struct or what one holds.

    Without `strict` a text that spells a number is one, as forms send it.
    """
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        yield from _struct_misfits(value, wanted, path, strict)
        return
    items = items_of(wanted)
    if items is not None and isinstance(value, list):
        most = getattr(type_info(wanted), "max_length", None)
        if most is not None and len(value) > most:
            # Nobody reads, and nothing here looks for, what else is wrong with thousands of them.
            yield Mistake(path, TOO_MANY, {"most": most})
        elif isinstance(items, type) and issubclass(items, msgspec.Struct):
            for place, item in enumerate(value):
                yield from misfits(item, items, f"{path}[{place}]", strict=strict)
        else:
            # A list of plain values is one field of a form, and has one mistake.
            found = (it for item in value for it in misfits(item, items, path, strict=strict))
            yield from itertools.islice(found, 1)
        return
    if get_origin(wanted) is dict and isinstance(value, dict):
        # Texts by language: each is a field of its own.
        for key, item in value.items():
            yield from misfits(item, get_args(wanted)[1], f"{path}.{key}", strict=strict)
        return
    try:
        msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError:
        yield _asked(type_info(wanted), path)


def items_of(wanted: Any) -> Any:
    """What a tuple of any length holds, with or without a bound; None for all other types."""
    if hasattr(wanted, "__metadata__"):
        wanted = get_args(wanted)[0]
    return get_args(wanted)[0] if get_origin(wanted) is tuple else None


def _struct_misfits(
    value: Any, wanted: type[msgspec.Struct], path: str, strict: bool
) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield Mistake(path, NOT_AN_OBJECT)
        return
    known = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    prefix = f"{path}." if path else ""
    for name in value.keys() - known.keys():
        yield Mistake(f"{prefix}{name}", UNKNOWN_FIELD)
    for name, field in known.items():
        if name in value:
            yield from misfits(value[name], field.type, f"{prefix}{name}", strict=strict)
        elif field.required:
            yield Mistake(f"{prefix}{name}", MISSING)


def _asked(wanted: Type, path: str) -> Mistake:
    """What a type wants to be written."""
    match wanted:
        case IntType(ge=None) | IntType(le=None):
            return Mistake(path, WHOLE_NUMBER)
        case IntType(ge=least, le=most):
            return Mistake(path, BETWEEN, {"least": least, "most": most})
        case FloatType(ge=float() | int() as least, le=float() | int() as most):
            return Mistake(path, NUMBERS_BETWEEN, {"least": f"{least:g}", "most": f"{most:g}"})
        case StrType(max_length=int() as most):
            return Mistake(path, TOO_LONG, {"most": most})
        case LiteralType(values=choices):
            return Mistake(path, ONE_OF, {"choices": ", ".join(map(str, choices))})
        case UnionType(types=types):
            return _asked(types[0], path)
        case msgspec.inspect.BoolType():
            return Mistake(path, YES_OR_NO)
        case _:
            return Mistake(path, UNUSABLE)
