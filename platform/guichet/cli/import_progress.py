"""How far an import is: a bar on a terminal, and elsewhere a line for each step."""

import contextlib
from collections.abc import Iterator, Mapping

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from guichet.billing.importing import STEPS, Told
from guichet.billing.imports import Import

#: The parts of an import's counts, in the order in which they are read.
_READ = (
    "products",
    "prices",
    "customers",
    "payment_methods",
    "subscriptions",
    "invoices",
    "attempts",
    "looked_up",
    "not_written",
)


@contextlib.contextmanager
def import_progress(tenant: str) -> Iterator[Told]:
    """Answers what to tell of each page; shows nothing before the first."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(tenant)
        return
    # The provider tells nobody how long its lists are, so the bar counts lists.
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(tenant, total=len(STEPS), counts="", visible=False)

        def show(work: Import) -> None:
            progress.update(
                task,
                completed=STEPS.index(work.step),
                counts=describe(work.counts),
                visible=True,
            )

        yield show


class _Lines:
    """Prints what is read so far whenever another list begins."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._step = ""

    def __call__(self, work: Import) -> None:
        if work.step != self._step:
            self._step = work.step
            counts = describe(work.counts) or "nothing"
            click.echo(f"{self._tenant}: reading {work.step}; {counts} so far", err=True)


def describe(counts: Mapping[str, int]) -> str:
    """What is read, in the order in which it is."""
    return ", ".join(
        f"{counts[name]:,} {name.replace('_', ' ')}" for name in _READ if name in counts
    )
