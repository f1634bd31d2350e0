"""How far the mirror is behind, for Prometheus."""

from prometheus_client import Gauge

from guichet.billing.lag import measure_lag
from workers.office import Office

_unread = Gauge(
    "guichet_reconciliation_lag_seconds",
    "Since the list of events was read last, for the tenant where that is longest ago.",
)
_waiting = Gauge("guichet_events_waiting", "Stored events that are not applied yet.")
_oldest = Gauge("guichet_events_waiting_seconds", "Since the oldest of them was received.")


async def count_lag(office: Office) -> None:
    """Bring this process's gauges up to date."""
    async with office.deployment.db.system() as connection:
        lag = await measure_lag(connection)
    _unread.set(lag.unread_seconds)
    _waiting.set(lag.waiting)
    _oldest.set(lag.waiting_seconds)
