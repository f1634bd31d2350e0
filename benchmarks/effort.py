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
    #: Events of one turn at applying, knocks for an idle worker.
    applied: int
    starts: int
    #: Customers in the mirror, and tenants for whom events wait, the smallest first.
    mirrors: tuple[int, ...]
    waiting: tuple[int, ...]
    #: Customers of a small account and of a large one that are imported.
    imported: tuple[int, int]
    #: Failed payments in a database, few and many, of so many tenants; how many are due.
    cases: tuple[int, int]
    case_tenants: int
    due: int
    #: Due attempts of one turn, no-op jobs of its floor's, turns, and seconds as above.
    retried: int
    jobs: int
    retry_rounds: int
    retry_seconds: float
    #: Customers who live a year at the sandbox.
    year: int


WHOLE = Effort(
    rounds=9,
    requests=1500,
    events=5000,
    sizes=(10, 1_000, 10_000),
    seconds=40,
    applied=1000,
    starts=300,
    mirrors=(1_000, 10_000, 100_000),
    waiting=(10, 1_000),
    imported=(1_000, 10_000),
    cases=(10_000, 1_000_000),
    case_tenants=1_000,
    due=1_000,
    retried=300,
    jobs=1_000,
    retry_rounds=5,
    retry_seconds=120,
    year=1_000,
)
QUICK = Effort(
    rounds=3,
    requests=300,
    events=500,
    sizes=(10, 100),
    seconds=4,
    applied=150,
    starts=20,
    mirrors=(100, 400),
    waiting=(2, 8),
    imported=(20, 60),
    cases=(400, 2_000),
    case_tenants=20,
    due=40,
    retried=30,
    jobs=120,
    retry_rounds=3,
    retry_seconds=4,
    year=16,
)
