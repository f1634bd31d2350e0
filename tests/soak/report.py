"""What a soak did and found, as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.soak.trade import Trade

_PHASES = ("to open", "of trade", "until all was at rest", "to look")


def table(trade: Trade, figures: Mapping[str, object], times: Sequence[float]) -> str:
    """Changes by kind with how many were refused, then the other figures, one a line.

    `times` is the beginning and the end of each phase, in seconds.
    """
    lines = [f"{'change':<40}{'tried':>8}{'refused':>8}"]
    for name, tried in sorted(trade.tried.items()):
        lines.append(f"{name:<40}{tried:>8}{trade.refused[name]:>8}")
    lines.append(f"{'all':<40}{trade.tried.total():>8}{trade.refused.total():>8}")
    lines.append(_counts("refused", trade.why))
    lines.append(_counts("killed", trade.kills))
    lines.append(_figure("faults set", trade.faults))
    lines += [_figure(name, value) for name, value in figures.items()]
    for phase, (begun, ended) in zip(_PHASES, pairwise(times), strict=False):
        lines.append(_figure(f"seconds {phase}", round(ended - begun)))
    return "\n".join([*lines, ""])


def _figure(name: str, value: object) -> str:
    return f"{name:<48}{value!s:>8}"


def _counts(name: str, counts: Counter[str]) -> str:
    return f"{name}: " + ", ".join(f"{each} {count}" for each, count in counts.most_common())
