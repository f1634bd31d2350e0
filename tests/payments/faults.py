"""Faults of the sandbox, set for as many attempts as a call makes."""

from tests.shops import Shop

#: A call is tried so often.
ATTEMPTS = 2


async def lose_answers(shop: Shop, path: str, attempts: int = ATTEMPTS) -> None:
    """Do what the next POSTs to a path ask for, and drop the connection instead of answering."""
    fault = {"mode": "lost", "count": attempts, "method": "POST", "path": path}
    await shop.set(fail_next_requests=[fault])


async def fail_requests(shop: Shop, status: int, path: str = "/v1/", method: str = "POST") -> None:
    """Answer the next requests to a path with an error, and do nothing."""
    fault = {"mode": "error", "status": status, "count": ATTEMPTS, "method": method, "path": path}
    await shop.set(fail_next_requests=[fault])
