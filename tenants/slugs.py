"""Slugs: the short names of agencies and tenants, which are the first label of their hosts."""

import re
import unicodedata

from tenants.errors import TenantsError

# The same as the check of the tables: a DNS label (RFC 1123 section 2.1), lower-case.
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_LONGEST = 40

_RESERVED = """
account accounts admin api app apps assets auth billing blog cdn checkout console dashboard
demo dev dns docs email files ftp guichet health help hooks id imap internal localhost login
mail metrics mta-sts mx news ns ns1 ns2 oauth pay payments ping pop postmaster preview portal
root secure security signin sign-in smtp sso staging static status support system test webhooks
webmail wpad www
"""
#: Hosts of the deployment itself, now or later, and names by which people would be deceived.
RESERVED_SLUGS = frozenset(_RESERVED.split())


class MalformedSlug(TenantsError):
    """Not a slug: 1 to 40 of a-z, 0-9 and hyphens, with no hyphen first or last."""


class ReservedSlug(TenantsError):
    """The name belongs to the deployment itself."""


class SlugTaken(TenantsError):
    """Somebody has this slug already."""


def check_slug(slug: str) -> None:
    """Raises `MalformedSlug` or `ReservedSlug`."""
    # Two hyphens in third and fourth place announce an encoding, as in xn-- (RFC 5891).
    if not _SLUG.fullmatch(slug) or slug[2:4] == "--":
        raise MalformedSlug(
            f"{slug!r} is no slug: 1 to 40 of a-z, 0-9 and hyphens, with no hyphen first or last"
        )
    if slug in RESERVED_SLUGS:
        raise ReservedSlug(f"{slug} is reserved for the deployment itself")


def suggest_slug(name: str, place: int = 1) -> str:
    """A slug for a name, such as `cafe-noir` for `Café Noir`; with `place` the first, second, …

    It is well-formed and not reserved; whether somebody has it is not known here.
    """
    ending = f"-{place}" if place > 1 else ""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = plain.replace("'", "")
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "merchant"
    # No two hyphens are left in a row, so none can announce an encoding.
    slug = f"{words[: _LONGEST - len(ending)].strip('-')}{ending}"
    return f"{slug}-shop" if slug in RESERVED_SLUGS else slug
