"""When to stop asking a provider that does not answer, and when to try again."""

import msgspec

#: So many attempts in a row that were not answered open the breaker.
_THRESHOLD = 5
#: How long it stays open at first, and at most, in seconds; it doubles with each probe that fails.
_FIRST_WAIT = 2.0
_LONGEST_WAIT = 30.0
#: A probe that is still under way after so many seconds keeps the next one waiting no longer.
_PROBE_SECONDS = 10.0


class Breaker(msgspec.Struct, frozen=True):
    """Closed, attempts pass; open, none does for a while, and then one at a time, as a probe.

    A value that is replaced at each step. `now` is any clock that never goes back, in seconds.
    Whoever begins an attempt keeps the `turn` of that moment and gives it back with the outcome,
    so that attempts from before an opening say nothing about what came after it.
    """

    #: Attempts that were not answered, since the last one that was.
    failures: int = 0
    #: In seconds; 0 while closed.
    wait: float = 0.0
    #: Nothing passes before.
    open_until: float = float("-inf")
    #: Grows with each opening, probe and closing.
    turn: int = 0

    @property
    def is_open(self) -> bool:
        return self.wait > 0

    def lets_pass(self, now: float) -> bool:
        return now >= self.open_until

    def begin(self, now: float) -> "Breaker":
        """An attempt that was let pass begins; while open it is the probe."""
        if not self.is_open:
            return self
        return msgspec.structs.replace(self, open_until=now + _PROBE_SECONDS, turn=self.turn + 1)

    def answered(self) -> "Breaker":
        """Any answer, however old its question, shows that the provider is there."""
        return Breaker(turn=self.turn + self.is_open)

    def failed(self, turn: int, now: float) -> "Breaker":
        """The attempt that began at `turn` was not answered."""
        if turn != self.turn:
            return self
        failures = self.failures + 1
        if failures < _THRESHOLD:
            return msgspec.structs.replace(self, failures=failures)
        wait = min(self.wait * 2 or _FIRST_WAIT, _LONGEST_WAIT)
        return Breaker(failures, wait, now + wait, self.turn + 1)

    def abandoned(self, turn: int, now: float) -> "Breaker":
        """Nobody waited for the outcome of the attempt; a probe makes room for another."""
        if turn != self.turn or not self.is_open:
            return self
        return msgspec.structs.replace(self, open_until=now)
