"""What a command prints: aligned columns for people, JSON for programs."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import click
import msgspec


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; control characters are shown, not obeyed."""
    lines = [list(titles), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """One thing's properties, a line each."""
    cells = [(name, _cell(value)) for name, value in facts]
    width = max(len(name) for name, _ in cells)
    for name, value in cells:
        click.echo(f"{name.ljust(width)}  {value}".rstrip())


def print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return printable(str(value))


def printable(text: str) -> str:
    """The text with its control characters shown, so that no terminal obeys them."""
    return "".join(it if it.isprintable() else repr(it)[1:-1] for it in text)
