"""A merchant's policy for failed payments: its presets, and how it is read from a document."""

import json

import msgspec
import pytest

from tenants.checks import read_document
from tenants.configuration import Configuration
from tenants.retries import PRESETS, Ending, QuietTimes, RetryPolicy


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_published_and_reads_back_as_it_was(name: str) -> None:
    document = msgspec.json.encode(Configuration(retries=PRESETS[name]))
    assert read_document(document).retries == PRESETS[name]


def test_the_presets_are_those_of_their_models() -> None:
    said = {name: (it.waits_days, it.tries, it.window_days) for name, it in PRESETS.items()}
    assert said == {
        "stripe": ((), 8, 14),
        "polar": ((2, 5, 7, 7), 4, 22),
        "kill_bill": ((8, 8, 8), 3, 25),
    }


def test_a_tenant_that_says_nothing_leaves_it_to_the_provider_s_own_retries() -> None:
    policy = read_document(b"{}").retries
    assert (policy.collector, policy.end) == ("provider", Ending())


def test_a_plain_list_of_days_with_quiet_times_is_read() -> None:
    said = {
        "collector": "guichet",
        "waits_days": [1, 1, 2.5],
        "quiet": {"from_hour": 21, "until_hour": 8, "weekdays": [6]},
        "end": {"subscription": "cancel", "invoice": "void"},
    }
    policy = read_document(json.dumps({"retries": said}).encode()).retries
    assert policy == RetryPolicy(
        collector="guichet",
        waits_days=(1, 1, 2.5),
        quiet=QuietTimes(21, 8, (6,)),
        end=Ending("cancel", "void"),
    )
