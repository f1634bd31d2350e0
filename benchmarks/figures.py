"""The figures of a run: what was measured, beside its floor and its bar."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The middle of what the rounds gave, and how far they lay apart."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The median, the least and the greatest of some values."""
    return Spread(statistics.median(values), min(values), max(values))


class Line(msgspec.Struct, frozen=True):
    """A line of the table. What is empty there has no floor, or no bar to meet."""

    figure: str
    value: str
    floor: str = ""
    ratio: str = ""
    bar: str = ""
    met: bool | None = None


class Figures:
    """The numbers by name, for machines, and the lines of the table, for people."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.lines: list[Line] = []

    def put(self, name: str, value: float) -> None:
        self.numbers[name] = round(value, 4)

    def put_spread(self, name: str, values: Spread) -> None:
        """The median under the name itself, the ends under `<name>_min` and `<name>_max`."""
        self.put(name, values.median)
        self.put(f"{name}_min", values.low)
        self.put(f"{name}_max", values.high)

    def table(self) -> str:
        """The lines, each column as wide as it must be."""
        head = ("figure", "measured", "floor", "ratio (least to greatest)", "bar", "met")
        rows = [head, *(_cells(line) for line in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def write(self, path: Path) -> None:
        """Keep the numbers as one flat JSON object."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = msgspec.json.format(msgspec.json.encode(self.numbers), indent=2)
        path.write_bytes(document + b"\n")


def _cells(line: Line) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[line.met]
    return (line.figure, line.value, line.floor, line.ratio, line.bar, met)


def ratio_text(ratio: Spread) -> str:
    """`1.31 (1.27 to 1.36)`."""
    return f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
