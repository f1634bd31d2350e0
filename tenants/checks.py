"""A configuration document checked as a whole: every mistake that is found, each with its place."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec

from tenants.branding_checks import branding_mistakes
from tenants.catalog import Plan
from tenants.catalog_checks import cancel_mistakes, change_mistakes
from tenants.configuration import LARGEST_DOCUMENT, Configuration
from tenants.errors import TenantsError
from tenants.identity_providers import IdentityProvider
from tenants.mails import MAIL_KINDS, Mails
from tenants.mistakes import ONE_OF, TOO_MANY, Mistake
from tenants.retries import RetryPolicy
from tenants.shapes import misfits
from tenants.web_addresses import is_web_address

_LOCALES = ("en", "fr")
_SHORT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
#: Stands in a header and an SMTP command as it is.
_SENDER = re.compile(r"[a-z0-9._%+=-]+@[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOST_OF_A_KIND = 200
#: Of a document; whoever has corrected these is told of the others.
MOST_MISTAKES = 100
#: Names among the zones that stand for none, or for another on each machine.
_NO_ZONES = ("Factory", "localtime")


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class InvalidConfiguration(TenantsError):
    """The document cannot be published; `mistakes` has all that were found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(
            "\n".join(f"{it.path or 'document'}: {it.english}" for it in self.mistakes)
        )


def read_document(document: bytes) -> Configuration:
    """A merchant's JSON as a configuration. Raises `InvalidConfiguration`.

    Stricter than reading what was published: a field that nobody knows is a slip of the pen here.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise InvalidConfiguration(
            [Mistake("", _("This is larger than %(most)s bytes."), {"most": LARGEST_DOCUMENT})]
        )
    try:
        value = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidConfiguration(
            [Mistake("", _("This is not JSON: %(error)s."), {"error": error})]
        ) from None
    mistakes = list(islice(misfits(value, Configuration, ""), MOST_MISTAKES))
    if mistakes:
        raise InvalidConfiguration(mistakes)
    configuration = msgspec.convert(value, Configuration)
    mistakes = list(islice(broken_rules(configuration), MOST_MISTAKES))
    if mistakes:
        raise InvalidConfiguration(mistakes)
    return configuration


def broken_rules(configuration: Configuration) -> Iterator[Mistake]:
    """What cannot be published although it has the right shape."""
    if configuration.locale not in _LOCALES:
        yield Mistake("locale", ONE_OF, {"choices": ", ".join(_LOCALES)})
    if configuration.support_email and not _EMAIL.fullmatch(configuration.support_email):
        yield Mistake("support_email", _("Write an email address such as help@example.com."))
    yield from branding_mistakes(configuration.branding)
    yield from _plan_rules(configuration.plans)
    yield from change_mistakes(configuration.changes)
    yield from cancel_mistakes(configuration.cancel)
    yield from _provider_rules(configuration.identity_providers)
    yield from _mail_rules(configuration.mails)
    yield from _retry_rules(configuration.retries)


def _plan_rules(plans: tuple[Plan, ...]) -> Iterator[Mistake]:
    yield from _number_rules("plans", plans)
    yield from _repeats("plans", "price_id", [plan.price_id for plan in plans])
    for place, plan in enumerate(plans):
        if not plan.price_id:
            yield Mistake(f"plans[{place}].price_id", _("Name the price by its id."))
        if not 1 <= plan.quantity_min <= plan.quantity_max:
            path = f"plans[{place}].quantity_min"
            yield Mistake(path, _("The least quantity is 1 at least, and not above the most."))


def _provider_rules(providers: tuple[IdentityProvider, ...]) -> Iterator[Mistake]:
    yield from _number_rules("identity_providers", providers)
    yield from _repeats("identity_providers", "id", [provider.id for provider in providers])
    for place, provider in enumerate(providers):
        path = f"identity_providers[{place}]"
        if not _SHORT_NAME.fullmatch(provider.id):
            yield Mistake(f"{path}.id", _("Use 1 to 40 of a-z, 0-9 and hyphens."))
        if not provider.label:
            yield Mistake(f"{path}.label", _("Write what the button says."))
        if not is_web_address(provider.issuer, ("https",)) and not _is_loopback(provider.issuer):
            yield Mistake(f"{path}.issuer", _("Write an https address."))
        elif "YOUR-" in provider.issuer:
            yield Mistake(f"{path}.issuer", _("Put your own name in place of YOUR-…."))
        if not provider.client_id:
            yield Mistake(f"{path}.client_id", _("Write the client id that the provider gave you."))
        if "openid" not in provider.scopes:
            yield Mistake(f"{path}.scopes", _("The scopes hold openid."))
        for host in provider.endpoint_hosts:
            if not _HOST.fullmatch(host):
                text = _("“%(host)s” is no host such as id.example.")
                yield Mistake(f"{path}.endpoint_hosts", text, {"host": host})


def _mail_rules(mails: Mails) -> Iterator[Mistake]:
    if mails.sender_address and not _SENDER.fullmatch(mails.sender_address):
        text = _("Write a plain email address such as hello@example.com.")
        yield Mistake("mails.sender_address", text)
    for place, kind in enumerate(mails.switched_off):
        if kind not in MAIL_KINDS:
            yield Mistake(
                f"mails.switched_off[{place}]", ONE_OF, {"choices": ", ".join(MAIL_KINDS)}
            )


def _retry_rules(policy: RetryPolicy) -> Iterator[Mistake]:
    if policy.time_zone in _NO_ZONES or policy.time_zone not in available_timezones():
        yield Mistake("retries.time_zone", _("Write a time zone's name such as Europe/Paris."))
    if sum(policy.waits_days) >= policy.window_days:
        text = _("Together the waits are shorter than the window.")
        yield Mistake("retries.waits_days", text)
    if policy.block_after_days is not None and policy.block_after_days < policy.grace_days:
        text = _("Access is not blocked before the grace is over.")
        yield Mistake("retries.block_after_days", text)


def _number_rules(path: str, items: tuple[object, ...]) -> Iterator[Mistake]:
    if len(items) > _MOST_OF_A_KIND:
        yield Mistake(path, TOO_MANY, {"most": _MOST_OF_A_KIND})


def _repeats(path: str, field: str, values: list[str]) -> Iterator[Mistake]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Mistake(
                f"{path}[{place}].{field}", _("“%(value)s” is there already."), {"value": value}
            )


def _is_loopback(value: str) -> bool:
    """A provider on this very machine, as in the demo, may do without TLS."""
    return is_web_address(value, ("http",)) and urlsplit(value).hostname in _LOOPBACK
