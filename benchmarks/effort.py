"""How much is measured: the whole, or a quick look."""

import msgspec


class Effort(msgspec.Struct, frozen=True):
    """Counts and limits of a run. Seconds bound each part once it has three rounds."""

    rounds: int
    #: Requests of one turn at the home page, and events of one turn at the intake.
    requests: int
    events: int
    #: Numbers of tenants, the smallest first: the others are compared to it.
    sizes: tuple[int, ...]
    seconds: float


WHOLE = Effort(rounds=9, requests=1500, events=5000, sizes=(10, 1_000, 10_000), seconds=40)
QUICK = Effort(rounds=3, requests=300, events=500, sizes=(10, 100), seconds=6)
