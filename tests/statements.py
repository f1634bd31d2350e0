"""The SQL in the code, found by reading the code and not by running it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SOURCES = ("platform/guichet", "tenants", "workers")

_CALLS = frozenset({"fetch", "fetchrow", "fetchval", "execute", "executemany", "read", "cursor"})


class Statement(NamedTuple):
    """A call that runs SQL. `sql` is None where the text is put together at run time."""

    place: str
    sql: str | None


def statements(root: Path = ROOT) -> list[Statement]:
    """Every statement in the code of the deployment."""
    return [
        statement
        for source in SOURCES
        for file in sorted((root / source).rglob("*.py"))
        for statement in statements_of(file.read_text(), str(file.relative_to(root)))
    ]


def statements_of(code: str, name: str) -> Iterator[Statement]:
    """The statements of one module: literals, constants of the module, and texts made up."""
    tree = ast.parse(code)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CALLS
            and node.args
        ):
            continue
        place, text = f"{name}:{node.lineno}", node.args[0]
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield Statement(place, text.value)
        elif isinstance(text, ast.Name) and text.id in constants:
            yield Statement(place, constants[text.id])
        elif _is_made_up(text) and not _is_setting(text):
            yield Statement(place, None)


def _is_made_up(text: ast.expr) -> bool:
    """Whether a text is joined, formatted or filled in; a number that is read is none."""
    return not isinstance(text, ast.Name | ast.Attribute) and any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in ast.walk(text)
    )


def _is_setting(text: ast.expr) -> bool:
    """`set local …` takes no parameters, so its value stands in the text."""
    return (
        isinstance(text, ast.JoinedStr)
        and isinstance(text.values[0], ast.Constant)
        and str(text.values[0].value).startswith("set local ")
    )
