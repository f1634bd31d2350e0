"""Random changes by customers and merchants in bad weather: in the end the mirror is the provider.

`SOAK_CHANGES` and `SOAK_KILLS` say how long it goes on, `SOAK_SEED` makes the choices of an earlier
run again (which of two comes first is up to the machine). `make soak` makes ten thousand changes.
"""

import os
import random
import sys
import time
from collections.abc import Iterator

import pytest

from tests.killing.rig import reachable
from tests.soak import equality, report, settling
from tests.soak.stage import open_stage
from tests.soak.trade import Trade
from tests.soak.verdict import Verdict

pytestmark = pytest.mark.slow

CHANGES = int(os.environ.get("SOAK_CHANGES", "200"))
KILLS = int(os.environ.get("SOAK_KILLS", "4"))
TENANTS = 20


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> Iterator[int]:
    """What all choices are made from; whoever asked for a long run sees what comes of it."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(2**32))
    again = f"to repeat: SOAK_SEED={seed} SOAK_CHANGES={CHANGES} SOAK_KILLS={KILLS}"
    sys.stdout.write(f"\n{again}\n")
    if "SOAK_CHANGES" not in os.environ:
        yield seed
        return
    with capsys.disabled():
        sys.stdout.write(f"\n{again}\n")
        yield seed


async def test_the_mirror_is_in_the_end_what_the_provider_holds(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    times = [time.monotonic()]
    directory = reachable(tmp_path_factory.mktemp("soak"))
    async with open_stage(directory, TENANTS, seed) as stage:
        before = {
            account: {event["id"] for event in await equality.everything(account, "events")}
            for account in stage.accounts
        }
        times.append(time.monotonic())
        trade, verdict = Trade(), Verdict(stage, before)
        try:
            await trade.run(stage, CHANGES, KILLS, seed)
            times.append(time.monotonic())
            await settling.settle(stage)
            times.append(time.monotonic())
            verdict.figures["deliveries sent"] = stage.door.deliveries
            await verdict.at_rest()
            await verdict.after_reconciliation(await settling.reconcile(stage))
            await verdict.books()
            await verdict.in_the_end()
            times.append(time.monotonic())
        finally:
            sys.stdout.write(report.table(trade, verdict.figures, times))
    assert not verdict.wrong, "\n".join(verdict.wrong[:20])
