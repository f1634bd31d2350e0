"""How badly the provider behaves: its deliveries and its answers, another way every so often."""

import contextlib
from random import Random
from typing import Any

import httpx

from tests.shops import Shop

#: One delivery in so many is lost, at most.
_MOST_DROPPED = 0.08
#: Both sides of an account's trade turn its switches, and keep a connection each.
_STALE_CONNECTIONS = 3


def deliveries(chance: Random) -> dict[str, Any]:
    """How an account's deliveries are from now on."""
    return {
        "duplicate": chance.choice([0, 0, 1, 2]),
        "delay_ms": chance.choice([0, 0, 300, 1500]),
        "reorder_ms": chance.choice([0, 500, 3000]),
        "drop": chance.choice([0.0, 0.0, 0.02, _MOST_DROPPED]),
    }


def fault(chance: Random) -> dict[str, Any]:
    """How one of an account's next requests goes wrong."""
    method = chance.choice(["GET", "GET", "POST"])
    match chance.choice(["lost", "error", "busy", "refused", "slow", "slow", "slow", "slow"]):
        case "busy":
            return {"mode": "error", "status": 429, "method": method}
        case "slow":
            # What is answered late is as it was when it was asked for.
            return {"mode": "slow", "seconds": chance.uniform(0.5, 3.0), "method": method}
        case mode:
            return {"mode": mode, "method": method}


async def worsen(shop: Shop, chance: Random) -> int:
    """Change an account's weather; answers how many requests are going to fail."""
    faults = [fault(chance) for _ in range(chance.randint(0, 4))]
    await turn(shop, deliveries=deliveries(chance), fail_next_requests=faults)
    return len(faults)


async def calm(shop: Shop) -> None:
    """Nothing goes wrong any more; what was lost stays so."""
    quiet = {"duplicate": 0, "delay_ms": 0, "reorder_ms": 0, "drop": 0.0}
    await turn(shop, deliveries=quiet, fail_next_requests=[], fail_next_charges=0)


async def turn(shop: Shop, **switches: Any) -> None:
    """Turn an account's switches, and once more while a kept connection turns out to be closed."""
    for _ in range(_STALE_CONNECTIONS):
        with contextlib.suppress(httpx.TransportError):
            return await shop.set(**switches)
    return await shop.set(**switches)
