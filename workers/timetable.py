"""Which jobs there are, how long each may take, and what runs by the clock.

Whatever the clock starts finds its work in PostgreSQL, so a beat that is missed is made up for by
the next one, and of several workers one takes each beat.
"""

from arq import cron
from arq.cron import CronJob
from arq.worker import Function

from guichet.auth.staff.mail import SEND_STAFF_MESSAGES
from guichet.billing.dunning.running import RUN_DUNNING
from guichet.billing.news import FOLLOW_NEWS
from guichet.billing.reconciling import RECONCILE_TENANT
from guichet.billing.reminders import REMIND
from guichet.messages.queueing import SEND_MESSAGES
from guichet.metrics.figures import COUNT_FIGURES
from guichet.webhooks.intake import HANDLE_EVENTS
from workers.books import CHECK_BOOKS, check_due_books, check_tenant_books, count_differences
from workers.changes import RESUME_CHANGES, resume_changes, sweep_changes
from workers.cleaning import clean
from workers.connections import PROBE_PROVIDER, count_rejections, probe_provider, probe_rejected
from workers.domains import check_domains
from workers.dunning import count_cases, run_dunning, sweep_dunning, sweep_policies
from workers.endpoints import MEND_ENDPOINTS, mend_endpoints, sweep_endpoints
from workers.events import handle_events, sweep_events
from workers.figures import count_figures, sweep_figures
from workers.jobs import Job, queued, runnable
from workers.lag import count_lag
from workers.messages import count_messages, send_messages, sweep_messages
from workers.news import follow_news, sweep_news
from workers.payments import SETTLE_PAYMENTS, settle_payments, sweep_payments
from workers.reconciliation import reconcile_all, reconcile_tenant
from workers.reminders import remind, remind_all
from workers.staff_messages import (
    clean_staff_messages,
    send_staff_messages,
    sweep_staff_messages,
)

_MINUTE = 60.0
_HOUR = 3600.0


def functions() -> list[Function]:
    """What can be knocked for. An import of a large account may take an hour."""
    return [
        queued(handle_events, HANDLE_EVENTS, 10 * _MINUTE),
        queued(resume_changes, RESUME_CHANGES, 2 * _MINUTE),
        queued(settle_payments, SETTLE_PAYMENTS, 2 * _MINUTE),
        queued(follow_news, FOLLOW_NEWS, 10 * _MINUTE),
        queued(run_dunning, RUN_DUNNING, 10 * _MINUTE),
        queued(send_messages, SEND_MESSAGES, 5 * _MINUTE),
        queued(send_staff_messages, SEND_STAFF_MESSAGES, 5 * _MINUTE),
        queued(remind, REMIND, 10 * _MINUTE),
        queued(reconcile_tenant, RECONCILE_TENANT, _HOUR),
        queued(probe_provider, PROBE_PROVIDER, _MINUTE),
        queued(mend_endpoints, MEND_ENDPOINTS, 2 * _MINUTE),
        queued(check_tenant_books, CHECK_BOOKS, 6 * _HOUR),
        queued(count_figures, COUNT_FIGURES, 5 * _MINUTE),
    ]


def beats() -> list[CronJob]:
    """What runs by the clock, at these seconds of a minute and minutes of an hour."""
    return [
        _beat(sweep_events, second=set(range(0, 60, 2))),
        _beat(sweep_changes, second=set(range(1, 60, 4))),
        _beat(sweep_payments, second=set(range(3, 60, 4))),
        _beat(sweep_news, second=set(range(1, 60, 2))),
        _beat(sweep_dunning, second=set(range(0, 60, 2))),
        _beat(sweep_policies, second=set(range(3, 60, 4))),
        _beat(sweep_messages, second=set(range(2, 60, 5))),
        _beat(sweep_staff_messages, second=set(range(1, 60, 3))),
        _beat(sweep_figures, second=set(range(4, 60, 5))),
        _beat(remind_all, second={15}, minute={7}),
        _beat(reconcile_all, second={10}, minute=set(range(0, 60, 5))),
        _beat(check_due_books, second={30}, minute=set(range(4, 60, 10))),
        _beat(probe_rejected, second={20}),
        _beat(check_domains, second={50}),
        _beat(sweep_endpoints, second={0, 30}),
        # Each process answers Prometheus for itself, so each counts.
        _beat(count_rejections, second={25}, in_each=True),
        _beat(count_differences, second={55}, in_each=True),
        _beat(count_cases, second={35}, in_each=True),
        _beat(count_messages, second={45}, in_each=True),
        _beat(count_lag, second={5, 20, 35, 50}, in_each=True),
        _beat(clean, second={40}, minute={17}, hour={3}),
        _beat(clean_staff_messages, second={50}, minute={23}, hour={3}),
    ]


def _beat(
    job: Job,
    *,
    second: set[int],
    minute: set[int] | None = None,
    hour: set[int] | None = None,
    in_each: bool = False,
) -> CronJob:
    name = job.__name__
    return cron(
        runnable(job, name),  # type: ignore[arg-type]
        name=name,
        second=second,
        minute=minute,
        hour=hour,
        timeout=10 * _MINUTE,
        keep_result=0,
        unique=not in_each,
    )
