"""Charts drawn here, as numbers that a template makes an SVG of: bars by month on a scale."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

#: The charts' boxes, in units that are about a pixel on a wide screen.
WIDE, NARROW, HEIGHT = 860, 420, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 4, 12, 28
_BETWEEN_GROUPS = 0.28
_TICKS = 4
_NICE = (1, 2, 5, 10)


class Series(msgspec.Struct, frozen=True):
    """One kind of bar: its name in the reader's language, and a value for each month."""

    name: str
    values: tuple[Decimal, ...]
    #: The same as texts, for the table and the bars' titles.
    texts: tuple[str, ...]


class Bar(msgspec.Struct, frozen=True):
    x: float
    y: float
    width: float
    height: float
    #: What a pointer is told.
    title: str
    #: Which of the series it is of, counted from 1.
    series: int


class Tick(msgspec.Struct, frozen=True):
    """A line of the scale, and its figure."""

    y: float
    text: str


class Label(msgspec.Struct, frozen=True):
    """A month under its bars; every other one gives way on a phone."""

    x: float
    text: str
    is_minor: bool


class Drawing(msgspec.Struct, frozen=True):
    """Everything of a chart that has a place."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    width: int
    height: int = HEIGHT
    left: int = _LEFT
    right_margin: int = _RIGHT


def draw_bars(series: Sequence[Series], labels: Sequence[str], width: int = NARROW) -> Drawing:
    """Bars of all series side by side above each label; every series has as many values."""
    top = scale_top(max((value for it in series for value in it.values), default=Decimal(0)))
    group = (width - _LEFT - _RIGHT) / max(len(labels), 1)
    return Drawing(
        bars=tuple(
            _bar(series, kind, place, group, top, label)
            for place, label in enumerate(labels)
            for kind in range(len(series))
        ),
        ticks=tuple(
            Tick(_y(top * step / _TICKS, top), _short(top * step / _TICKS))
            for step in range(_TICKS + 1)
        ),
        labels=tuple(
            Label(round(_LEFT + (place + 0.5) * group, 1), text, (len(labels) - 1 - place) % 3 != 0)
            for place, text in enumerate(labels)
        ),
        width=width,
    )


def scale_top(highest: Decimal) -> Decimal:
    """The scale's end: the next round number that its four parts divide into round ones.

    At least 4, so that what is counted in whole ones has whole figures beside it.
    """
    if highest <= _TICKS:
        return Decimal(_TICKS)
    step = highest / _TICKS
    unit = Decimal(10) ** step.adjusted()
    return next(unit * nice for nice in _NICE if unit * nice >= step) * _TICKS


def _bar(
    series: Sequence[Series], kind: int, place: int, group: float, top: Decimal, label: str
) -> Bar:
    """One bar in the group of its month, which is `group` wide with the gap to the next one."""
    width = group * (1 - _BETWEEN_GROUPS) / len(series)
    x = _LEFT + (place + _BETWEEN_GROUPS / 2) * group + kind * width
    it = series[kind]
    y = _y(it.values[place], top)
    title = f"{label}: {it.name} {it.texts[place]}"
    height = round(HEIGHT - _BOTTOM - y, 1)
    return Bar(round(x, 1), y, round(width - 1, 1), height, title, kind + 1)


def _y(value: Decimal, top: Decimal) -> float:
    share = float(value / top)
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def _short(value: Decimal) -> str:
    """A figure of the scale: `500`, `20k`, `1.5M`."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if value >= size:
            return f"{value / (1000 if letter == 'k' else size):f}".rstrip("0").rstrip(".") + letter
    return f"{value.normalize():f}"
