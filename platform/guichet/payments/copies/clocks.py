"""Test clocks: the time that customers of a provider's test mode live in."""

from datetime import datetime

import msgspec


class TestClockCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that stands at `frozen_at` until somebody advances it; it never goes back."""

    #: Of this name pytest would make a test.
    __test__ = False

    id: str
    frozen_at: datetime
