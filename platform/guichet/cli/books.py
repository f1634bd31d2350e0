"""`guichet books`: whether the mirror is what the providers hold, and holds together."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import click
import msgspec
import structlog

from guichet.billing.books import REMEDIES, RULES, Books, Difference, check_books
from guichet.billing.books.checking import RATE, SETTLE_S
from guichet.cli.opening import run
from guichet.cli.tables import print_json, printable
from guichet.db import Database, DatabaseAway
from guichet.errors import GuichetError
from guichet.payments.choose import Providers
from guichet.settings import Settings
from tenants.tenant import Tenant, find_tenant, list_tenants
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

_PAGE = 1000
#: Elsewhere than on a terminal, progress is told after so many objects.
_TELL_AFTER = 10_000
_LONGEST_VALUE = 500


class Report(msgspec.Struct, frozen=True):
    """What is told of one tenant."""

    tenant: str
    #: Why there is no result, as an error code.
    failure: str | None
    objects: int
    unexamined: int
    differences: list[Difference]


class _How(msgspec.Struct, frozen=True):
    repair: bool
    rate: float
    settle_s: float
    as_json: bool


@click.command()
@click.option("--tenant", help="The slug of one tenant; without it, all active ones.")
@click.option("--repair", is_flag=True, help="Fetch anew what differs and is harmless.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=RATE,
    show_default=True,
    help="Questions to a provider, a second.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=SETTLE_S,
    show_default=True,
    help="Seconds that a change may be on its way; what outlasts them is told.",
)
def books(tenant: str | None, repair: bool, as_json: bool, rate: float, settle: float) -> None:
    """Check that the mirror is what the providers hold, and that it holds together.

    Each difference is told with what is held, what the provider says and what is done about it.
    A tenant that cannot be checked does not keep the others from it. Ends with status 1 when
    differences remain or a tenant could not be checked.
    """
    how = _How(repair, rate, settle, as_json)

    async def work(settings: Settings, db: Database) -> list[Report]:
        reports = []
        async with Providers(settings, db, Vault(settings.master_keys)) as providers:
            async for each in _tenants(db, tenant):
                reports.append(await _check(db, providers, each, how))
                if not as_json:
                    _tell(reports[-1])
        return reports

    try:
        reports = run(work)
    except VaultError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(reports)
    if not all(map(_is_clean, reports)):
        raise click.exceptions.Exit(1)


async def _tenants(db: Database, slug: str | None) -> AsyncIterator[Tenant]:
    if slug is not None:
        async with db.system() as connection:
            one = await find_tenant(connection, slug)
        yield one
        return
    after = ""
    while True:
        async with db.system() as connection:
            page = await list_tenants(connection, after=after, limit=_PAGE)
        for each in page:
            if each.status == "active":
                yield each
        if len(page) < _PAGE:
            return
        after = page[-1].slug


async def _check(db: Database, providers: Providers, tenant: Tenant, how: _How) -> Report:
    progress = _Progress(tenant.slug)
    try:
        provider = await providers.client(tenant.id)
        found = await check_books(
            db,
            provider,
            tenant.id,
            repair=how.repair,
            rate=how.rate,
            settle_s=how.settle_s,
            told=progress,
        )
    except DatabaseAway:
        # The other tenants' books are in the same database.
        raise
    except Exception as error:
        if not isinstance(error, GuichetError):
            log.exception("books_not_checked", tenant=str(tenant.id))
        code = error.code if isinstance(error, GuichetError) else "internal_error"
        return Report(tenant.slug, code, 0, 0, [])
    finally:
        progress.clear()
    # Only a check that is not yet due has no result, and this one is asked for.
    assert isinstance(found, Books)
    return Report(tenant.slug, None, found.objects, found.unexamined, found.differences)


class _Progress:
    """How many objects were compared: in one line of a terminal, elsewhere now and then."""

    def __init__(self, slug: str) -> None:
        self._slug = slug
        self._told = 0
        self._terminal = sys.stderr.isatty()

    def __call__(self, objects: int) -> None:
        if self._terminal:
            click.echo(f"\r{self._slug}: {objects:,} objects", nl=False, err=True)
        elif objects - self._told >= _TELL_AFTER:
            click.echo(f"{self._slug}: {objects:,} objects", err=True)
        else:
            return
        self._told = objects

    def clear(self) -> None:
        if self._terminal and self._told:
            click.echo("\r\x1b[K", nl=False, err=True)


def _is_clean(report: Report) -> bool:
    remaining = [it for it in report.differences if it.remedy != "fetched_anew"]
    return report.failure is None and not remaining and not report.unexamined


def _tell(report: Report) -> None:
    if report.failure is not None:
        click.echo(f"!!  {report.tenant}: not checked ({report.failure}). See guichet doctor.")
        return
    objects = f"{report.objects:,} objects"
    if not report.differences:
        click.echo(f"ok  {report.tenant}: {objects}, all in order")
    for difference in report.differences:
        _tell_difference(report.tenant, difference)
    if report.unexamined:
        click.echo(
            f"!!  {report.tenant}: {report.unexamined:,} more differ at the first look."
            f" Import everything: guichet sync {report.tenant} --full"
        )


def _tell_difference(tenant: str, it: Difference) -> None:
    mark = "ok" if it.remedy == "fetched_anew" else "!!"
    kind = it.kind.replace("_", " ")
    click.echo(f"{mark}  {tenant}: {kind} {printable(it.id)}: {RULES[it.rule]}")
    for name, value in (("held", it.held), ("provider", it.provider)):
        if value is not None:
            click.echo(f"      {name}: {_short(value)}")
    remedy = REMEDIES[it.remedy]
    if it.remedy == "fetch_anew":
        remedy = f"fetch it anew: guichet books --tenant {tenant} --repair"
    click.echo(f"      {remedy}")


def _short(value: dict[str, Any]) -> str:
    text = printable(msgspec.json.encode(value).decode())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
