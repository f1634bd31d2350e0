"""Stripe's test clocks as copies."""

from stripe.test_helpers import TestClock

from guichet.payments.copies import TestClockCopy
from guichet.payments.stripe.copying.values import moment


def copy_test_clock(clock: TestClock) -> TestClockCopy:
    return TestClockCopy(id=clock.id, frozen_at=moment(clock.frozen_time))
