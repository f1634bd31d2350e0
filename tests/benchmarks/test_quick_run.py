"""A quick look at the figures: all of them are there, and the counts are what they must be."""

import math
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.effort import QUICK

ROOT = Path(__file__).parents[2]
_LIMIT_SECONDS = 400

_LISTS = ("first", "late", "search", "standing", "both")
_SPREADS = (
    "home_cpu_ratio",
    "webhook_intake_ratio",
    "events_applied_ratio",
    "events_applied_repeated_ratio",
    "event_cost_growth_twin_customers",
    "event_cost_growth_twin_tenants",
    *(f"event_cost_growth_{size}_customers" for size in QUICK.mirrors[1:]),
    *(f"event_cost_growth_{size}_tenants" for size in QUICK.waiting[1:]),
    *(f"import_ratio_{customers}_customers" for customers in QUICK.imported),
    "merchant_list_growth",
    "customer_list_growth",
    *(f"customer_list_growth_{page}" for page in _LISTS),
    "due_scan_ms",
    "due_scan_growth",
    "retry_rate_ratio",
    "retry_rate_ratio_to_tuned",
    "retry_cost_growth",
)
_NUMBERS = (
    "home_html_bytes",
    "home_round_trips",
    "home_round_trips_first_page_of_a_tenant",
    "home_program_ratio",
    "home_postgres_ratio",
    "home_cpu_ratio_to_bytes",
    "home_p99_ratio",
    *(
        f"{program}_{figure}"
        for program in ("home", "home_floor", "home_bytes")
        for figure in ("cpu_us", "program_us", "postgres_us", "p99_ms")
    ),
    "webhook_intake_per_second",
    "webhook_floor_per_second",
    "webhook_intake_cpu_us",
    "webhook_floor_cpu_us",
    *(
        f"{program}_{figure}"
        for program in (
            "events_applied",
            "events_applied_floor",
            "events_applied_repeated",
            "events_applied_repeated_floor",
        )
        for figure in ("per_second", "program_us", "postgres_us")
    ),
    "event_start_p50_ms",
    "event_start_p99_ms",
    "machine_wakes_p50_ms",
    "machine_wakes_p99_ms",
    *(f"event_cost_us_{size}_customers" for size in QUICK.mirrors),
    *(f"event_cost_us_{size}_tenants" for size in QUICK.waiting),
    *(
        f"import_{figure}_{customers}_customers"
        for figure in ("seconds", "floor_seconds", "peak_mib")
        for customers in QUICK.imported
    ),
    "merchant_list_few_us",
    "merchant_list_many_us",
    *(f"customer_list_{page}_us" for page in _LISTS),
    "due_scan_few_ms",
    "due_sweep_ms",
    "due_choose_ms",
    "due_claim_ms",
    "retry_per_second",
    "retry_program_us",
    "retry_postgres_us",
    "queue_jobs_per_second",
    "tuned_jobs_per_second",
    "sandbox_year_customers",
    "sandbox_year_seconds",
    "sandbox_year_cpu_seconds",
    "run_seconds",
)


def _expected() -> set[str]:
    growth = ["home_growth_twin", *(f"home_growth_{size}_tenants" for size in QUICK.sizes[1:])]
    ends = [f"{name}{end}" for name in (*_SPREADS, *growth) for end in ("", "_min", "_max")]
    sizes = [
        f"{figure}_{size}_tenants" for figure in ("web_rss_mib", "home_us") for size in QUICK.sizes
    ]
    return {*_NUMBERS, *ends, *sizes}


@pytest.mark.slow
def test_a_quick_run_writes_every_figure_and_counts_one_round_trip(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    numbers = msgspec.json.decode(output.read_bytes(), type=dict[str, float])
    assert set(numbers) == _expected()
    assert all(math.isfinite(number) and number > 0 for number in numbers.values())
    assert numbers["home_round_trips"] == 1
    assert "exactly 1" in ended.stdout
