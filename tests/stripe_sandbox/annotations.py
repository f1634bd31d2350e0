"""Checks JSON against the annotations of the SDK's classes: fields, types and literal values."""

import ast
import inspect
import types
import typing
from decimal import Decimal, InvalidOperation
from importlib import import_module
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

import stripe
from stripe._list_object import ListObject
from stripe._object_classes import get_object_class
from stripe._stripe_object import StripeObject, UntypedStripeObject

# Classes whose name in the API differs from that of their attribute in `stripe`.
_SPECIAL: dict[str, type[StripeObject]] = {"test_helpers.test_clock": stripe.test_helpers.TestClock}


def class_of(name: str) -> type[StripeObject]:
    """The SDK's class for an `object` name."""
    if name in _SPECIAL:
        return _SPECIAL[name]
    found: type[StripeObject] = get_object_class("V1", name)
    assert found is not StripeObject, f"the SDK has no class for {name}"
    return found


def problems(document: dict[str, Any]) -> list[str]:
    """What is wrong with an object of the API; empty when nothing is."""
    return list(_check_object(document, class_of(document["object"]), document["object"]))


def _namespace(cls: type) -> dict[str, Any]:
    """Names that annotations of a class may use: its own nested classes, its module's imports."""
    module = __import__(cls.__module__, fromlist=["_"])
    names = {**vars(typing), **vars(stripe), **vars(module)}
    outer: Any = module
    for part in cls.__qualname__.split("."):
        outer = getattr(outer, part)
        names.update({k: v for k, v in vars(outer).items() if isinstance(v, type)})
    names.update(_imported_for_checkers(cls.__module__))
    return names


_IMPORTS: dict[str, dict[str, Any]] = {}


def _imported_for_checkers(module: str) -> dict[str, Any]:
    """The classes that a module imports under TYPE_CHECKING only."""
    if module not in _IMPORTS:
        tree = ast.parse(inspect.getsource(import_module(module)))
        found: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe"):
                source = import_module(node.module or "")
                for alias in node.names:
                    if hasattr(source, alias.name):
                        found[alias.asname or alias.name] = getattr(source, alias.name)
        _IMPORTS[module] = found
    return _IMPORTS[module]


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        raw = inspect.get_annotations(cls)
        names = _namespace(cls)
        _HINTS[cls] = {
            name: eval(hint, names) if isinstance(hint, str) else _resolved(hint, names)
            for name, hint in raw.items()
            if not name.startswith("_")
        }
    return _HINTS[cls]


def _resolved(hint: Any, names: dict[str, Any]) -> Any:
    if isinstance(hint, typing.ForwardRef):
        return _resolved(eval(hint.__forward_arg__, names), names)
    if get_origin(hint) is Literal or not get_args(hint):
        return hint
    args = tuple(_resolved(arg, names) for arg in get_args(hint))
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return Union[args]  # noqa: UP007 - built from a tuple
    return origin[args[0] if len(args) == 1 else args] if origin is not None else hint


def _check_object(value: Any, cls: type, path: str) -> typing.Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected {cls.__name__}, got {value!r}"
        return
    hints = _hints(cls)
    for name, hint in hints.items():
        if get_origin(hint) is ClassVar:
            continue
        if name not in value:
            if not _may_be_none(hint):
                yield f"{path}.{name}: missing"
            continue
        yield from _check(value[name], hint, f"{path}.{name}")
    for name in value.keys() - hints.keys():
        yield f"{path}.{name}: unknown to the SDK"


def _may_be_none(hint: Any) -> bool:
    return hint is Any or type(None) in get_args(hint)


def _check(value: Any, hint: Any, path: str) -> typing.Iterator[str]:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in (Union, types.UnionType):
        yield from _check_union(value, args, path)
    elif origin is Literal:
        if value not in args:
            yield f"{path}: {value!r} is none of {args}"
    elif origin in (list, typing.List):  # noqa: UP006 - the SDK writes it so
        yield from _check_list(value, args[0], path)
    elif origin is ListObject or hint is ListObject:
        yield from _check_listing(value, args[0] if args else Any, path)
    elif origin is UntypedStripeObject:
        if not isinstance(value, dict):
            yield f"{path}: expected a hash, got {value!r}"
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        yield from _check_object(value, hint, path)
    else:
        yield from _check_plain(value, hint, path)


def _check_union(value: Any, args: tuple[Any, ...], path: str) -> typing.Iterator[str]:
    # `Union[Literal[…], str]` allows values to come; the sandbox must use those that exist.
    literals = [arg for arg in args if get_origin(arg) is Literal]
    if literals and isinstance(value, str):
        args = tuple(literals)
    if value is None and type(None) in args:
        return
    found = [list(_check(value, arg, path)) for arg in args if arg is not type(None)]
    if all(found):
        yield from min(found, key=len)


def _check_list(value: Any, item: Any, path: str) -> typing.Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected a list, got {value!r}"
        return
    for index, each in enumerate(value):
        yield from _check(each, item, f"{path}[{index}]")


def _check_listing(value: Any, item: Any, path: str) -> typing.Iterator[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        yield f"{path}: expected a list object, got {value!r}"
        return
    for name in ("data", "has_more", "url"):
        if name not in value:
            yield f"{path}.{name}: missing"
    yield from _check_list(value.get("data"), item, f"{path}.data")


def _check_plain(value: Any, hint: Any, path: str) -> typing.Iterator[str]:
    if hint is Decimal:
        try:
            Decimal(value if isinstance(value, str) else "not a string")
        except InvalidOperation:
            yield f"{path}: expected a decimal in a string, got {value!r}"
    elif hint is float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield f"{path}: expected a number, got {value!r}"
    elif hint in (int, str, bool):
        if type(value) is not hint:
            yield f"{path}: expected {hint.__name__}, got {value!r}"
    elif hint is type(None):
        if value is not None:
            yield f"{path}: expected null, got {value!r}"
    else:
        yield f"{path}: the checker does not know {hint!r}"
