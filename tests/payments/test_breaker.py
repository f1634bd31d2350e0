"""The circuit breaker's rules, as a machine that is driven at random."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from guichet.payments.stripe.breaker import Breaker

#: What the rules below promise: so many failures open it, for so many seconds at most.
_THRESHOLD = 5
_LONGEST = 30.0
_PROBE = 10.0


class Driven(RuleBasedStateMachine):
    """Attempts begin where they are let pass and end in any order, or never."""

    begun = Bundle("begun")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker()
        self.failures_in_a_row = 0
        self.probed_at: float | None = None

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=begun)
    def begin(self) -> int:
        if not self.breaker.lets_pass(self.now):
            return -1
        was_open = self.breaker.is_open
        if was_open and self.probed_at is not None:
            assert self.now >= self.probed_at + _PROBE
        self.breaker = self.breaker.begin(self.now)
        if was_open:
            self.probed_at = self.now
            assert not self.breaker.lets_pass(self.now)
        return self.breaker.turn

    @rule(turn=consumes(begun))
    def fail(self, turn: int) -> None:
        before = self.breaker
        self.breaker = before.failed(turn, self.now)
        if turn == before.turn:
            self.failures_in_a_row += 1
            if before.is_open:
                self.probed_at = None
                assert self.breaker.wait == min(before.wait * 2, _LONGEST)
        else:
            assert self.breaker == before

    @rule(turn=consumes(begun))
    def answer(self, turn: int) -> None:
        if turn < 0:
            return
        self.breaker = self.breaker.answered()
        self.failures_in_a_row = 0
        self.probed_at = None
        assert not self.breaker.is_open
        assert self.breaker.lets_pass(self.now)

    @rule(turn=consumes(begun))
    def abandon(self, turn: int) -> None:
        before = self.breaker
        self.breaker = before.abandoned(turn, self.now)
        if before.is_open and turn == before.turn:
            self.probed_at = None
            assert self.breaker.lets_pass(self.now)
        else:
            assert self.breaker == before

    @invariant()
    def it_is_open_exactly_after_enough_failures_in_a_row(self) -> None:
        assert self.breaker.is_open == (self.failures_in_a_row >= _THRESHOLD)

    @invariant()
    def it_never_stays_shut_for_longer_than_its_longest_wait(self) -> None:
        assert self.breaker.lets_pass(self.now + _LONGEST)


TestDriven = Driven.TestCase


def test_an_open_breaker_waits_twice_as_long_after_each_probe_up_to_a_bound() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    for _ in range(_THRESHOLD):
        breaker = breaker.failed(breaker.turn, now)
    for _ in range(6):
        waits.append(breaker.wait)
        now += breaker.wait
        assert not breaker.lets_pass(now - 0.001)
        breaker = breaker.begin(now)
        breaker = breaker.failed(breaker.turn, now)
    assert waits == [2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("late", [1, 100])
def test_attempts_from_before_the_opening_make_it_no_longer(late: int) -> None:
    breaker = Breaker()
    turn = breaker.turn
    for _ in range(_THRESHOLD):
        breaker = breaker.failed(turn, 0.0)
    opened = breaker
    for _ in range(late):
        breaker = breaker.failed(turn, 1.0)
    assert breaker == opened
