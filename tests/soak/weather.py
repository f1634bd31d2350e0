"""How badly the provider behaves: its deliveries and its answers, another way every so often."""

from random import Random
from typing import Any

import httpx

from tests.shops import Shop

#: One delivery in so many is lost, at most.
_MOST_DROPPED = 0.08


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
    method = chance.choice([None, "GET", "POST"])
    match chance.choice(["lost", "error", "busy", "slow", "slow", "refused"]):
        case "busy":
            return {"mode": "error", "status": 429, "method": method}
        case "slow":
            return {"mode": "slow", "seconds": chance.uniform(0.2, 2.0), "method": method}
        case mode:
            return {"mode": mode, "method": method}


async def worsen(shop: Shop, chance: Random) -> int:
    """Change an account's weather; answers how many requests are going to fail."""
    faults = [fault(chance) for _ in range(chance.randint(0, 2))]
    await _set(shop, deliveries=deliveries(chance), fail_next_requests=faults)
    return len(faults)


async def calm(shop: Shop) -> None:
    """Nothing goes wrong any more; what was lost stays so."""
    quiet = {"duplicate": 0, "delay_ms": 0, "reorder_ms": 0, "drop": 0.0}
    await _set(shop, deliveries=quiet, fail_next_requests=[], fail_next_charges=0)


async def _set(shop: Shop, **switches: Any) -> None:
    try:
        await shop.set(**switches)
    except httpx.TransportError:
        # A connection that was kept open for long may be closed by now: once more with a new one.
        await shop.set(**switches)
