"""Rate limits: so many requests a second for each account (https://docs.stripe.com/rate-limits)."""

from collections import defaultdict, deque
from collections.abc import Callable


class RateLimiter:
    """Remembers the requests of the last second. `clock` gives seconds, and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._served: defaultdict[str, deque[float]] = defaultdict(deque)

    def admits(self, account: str, most: int) -> bool:
        """Whether one more request is within the limit; 0 is none. What is refused counts not."""
        if not most:
            return True
        now, served = self.clock(), self._served[account]
        while served and served[0] <= now - 1:
            served.popleft()
        if len(served) >= most:
            return False
        served.append(now)
        return True
